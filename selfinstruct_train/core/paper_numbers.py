"""The paper's numbers (arXiv 2212.10560 v2, ACL 2023) that are shown beside ours, with the place where each stands.

Numbers only: nothing is computed. What the paper shows as a picture without figures is not here. Settings that are the
paper's stand with the setting (config.py).
"""

from __future__ import annotations

from dataclasses import dataclass

NUM_INSTRUCTIONS = 52_445
# Table 1: (key of statistics.json, what it counts, the paper's number)
STATISTICS = (
    ("num_instructions", "Instructions", NUM_INSTRUCTIONS),
    ("num_classification_instructions", "of them classification", 11_584),
    ("num_other_instructions", "of them other", 40_861),
    ("num_instances", "Instances", 82_439),
    ("num_instances_with_empty_input", "of them with empty input", 35_878),
    ("mean_instruction_words", "Mean words of an instruction", 15.9),
    ("mean_nonempty_input_words", "Mean words of a non-empty input", 12.7),
    ("mean_output_words", "Mean words of an output", 18.9),
)

# Table 2: (key of review.json, question, percent of 200 instances), by one of the authors
REVIEW = (
    ("valid_task", "The instruction is a valid task", 92),
    ("input_appropriate", "The input fits the instruction", 79),
    ("output_correct", "The output is correct", 58),
    ("all", "All three", 54),
)

# Section 3.2 and figure 3
NUM_WITH_VERB_AND_NOUN, PERCENT_DRAWN = 26_559, 14

# Table 3: (system, parameters, ROUGE-L) on the 119 test tasks, 100 instances each
SUPERNI = (
    ("T5-LM", "11B", 25.7),
    ("GPT3", "175B", 6.8),
    ("T0", "11B", 33.1),
    ("GPT3+T0", "175B", 37.9),
    ("GPT3-SelfInst", "175B", 39.9),
    ("InstructGPT-001", "175B", 40.8),
    ("Tk-Instruct", "11B", 46.0),
    ("GPT3+SuperNI", "175B", 49.5),
    ("GPT3-SelfInst+SuperNI", "175B", 51.6),
)
NUM_TEST_TASKS, NUM_INSTANCES_PER_TASK = 119, 100

# Figure 6: how many of the 252 answers were rated A, B, C, D, by one of the authors. The PDF's text also holds older
# layers of the figure, some numbers one higher or lower (113 for 112); these are those that sum to 252 in every bar and
# agree with figure 7 (44.4 % are 112 of 252).
PEOPLE = {
    "GPT3": (1, 0, 64, 187),
    "GPT3+T0": (44, 31, 59, 118),
    "GPT3+SuperNI": (74, 30, 80, 68),
    "GPT3-SelfInst+SuperNI": (83, 54, 84, 31),
    "GPT3-SelfInst": (112, 49, 66, 25),
    "InstructGPT-001": (128, 45, 61, 18),
    "InstructGPT-002": (168, 40, 34, 10),
    "InstructGPT-003": (192, 30, 28, 2),
}

# Appendix B.2 (section 4.4 gives kappa as 0.57): (key of agreement in people.json, what, the paper's number)
AGREEMENT = (
    ("kappa", "Cohen's kappa, A to D", 0.58),
    ("acceptable_kappa", "Cohen's kappa, acceptable (A, B) or not", 0.75),
    ("spearman", "Spearman's rho", 0.81),
)

# Figure 7: percent of the 252 rated A after training on the seeds, on all data, on all with better outputs
SIZE_SEEDS, SIZE_ALL, IMPROVED_OUTPUTS = 31.0, 44.4, 54.4
PLATEAU = "16K"  # section 4.5

# Appendix A.1 and figure 8: mean ROUGE-L of a seed instruction to the nearest instruction of a test set
SEEDS_TO_SUPERNI, SEEDS_TO_USER_ORIENTED, NUM_IDENTICAL = 0.21, 0.34, 1
NUM_SEEDS = 175


@dataclass(frozen=True)
class Query:
    """A row of table 4; `key` is the sampling of ours that stands for it."""

    key: str
    what: str
    temperature: float
    top_p: float
    frequency_penalty: float
    presence_penalty: float
    max_length: int
    stop: tuple[str, ...]


# Table 4; top_p 0 is greedy, as temperature 0 is
QUERIES = (
    Query("instruction_sampling", "Generating instructions", 0.7, 0.5, 0, 2, 1024, ("\n\n", "\n16", "16.", "16 .")),
    Query("classification_sampling", "Classification or not", 0, 0, 0, 0, 3, ("\n", "Task:")),
    Query("instance_sampling", "Generating instances", 0, 0, 0, 1.5, 300, ("Task:",)),
    Query("eval", "Evaluating models", 0, 0, 0, 0, 1024, ()),
)

# Section 2.2
NUM_IN_CONTEXT, NUM_MACHINE_IN_CONTEXT, ROUGE_L_THRESHOLD = 8, 2, 0.7
NUM_CLASSIFICATION_SHOTS = 12 + 19

# Appendix A.2 and A.3, section 4.1
GENERATION_USD, FINETUNING_USD = 600, 338
EPOCHS, PROMPT_LOSS_WEIGHT = 2, 0
