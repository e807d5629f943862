"""Settings of the paper's four steps, and of the filters on instructions and rows.

Every default that comes from the paper (arXiv 2212.10560) or its released code names its source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..core.records import Sampling
from .ranges import check_at_least_one, check_choices, check_limits, check_similarity


@dataclass(frozen=True)
class ContaminationConfig:
    """What happens to generated rows that overlap evaluation data."""

    action: Literal["block", "flag", "off"] = "block"
    """block: drop them from the dataset; flag: keep them and record the overlap. The dataset card counts both."""
    sets: tuple[str, ...] = ("eval",)
    """Evaluation sets to compare with. eval: the sets that the section `eval` names. Further sets: files, folders,
    archives or hub: datasets in a format that `eval` reads, or rows with instruction, input and output."""
    ngram: int = 13
    """A row overlaps an evaluation text if they share this many consecutive words (13: GPT-3 paper, appendix C)."""
    rouge_l_threshold: float = 0.7
    """A row also overlaps if the ROUGE-L of its instruction or input with an evaluation text is higher; 1: off."""

    def __post_init__(self) -> None:
        section = "generate.contamination"
        check_choices(section, self)
        check_similarity(section, self, "rouge_l_threshold")
        check_at_least_one(section, self, "ngram")


@dataclass(frozen=True)
class NearDuplicateConfig:
    """A second near-duplicate filter on instructions, after ROUGE-L (extra `dedup`)."""

    method: Literal["none", "minhash", "embeddings"] = "none"
    """minhash: word triples; embeddings: sentence embeddings; none: no second filter."""
    threshold: float = 0.8
    """A candidate is dropped if its Jaccard similarity (minhash) or cosine similarity (embeddings) is higher."""
    embedding_model: str | None = None
    """Sentence-transformers model: Hub id or folder."""
    embedding_revision: str | None = None
    """Hub commit, tag or branch of the embedding model; pin it to make a run repeatable."""

    def __post_init__(self) -> None:
        section = "generate.near_duplicates"
        check_choices(section, self)
        check_similarity(section, self, "threshold")
        if self.method == "embeddings" and not self.embedding_model:
            raise ValueError(f"{section}.method is embeddings; name {section}.embedding_model")


@dataclass(frozen=True)
class GenerateConfig:
    """Generation in the paper's four steps, from seed tasks to a dataset."""

    method: Literal["default", "paper"] = "default"
    """paper: exactly as the released code, including its known bugs; default: these bugs are fixed (DECISIONS.md)."""
    seed_tasks: str = "builtin:english"
    """builtin:english, builtin:tiny, or a file in the released seed_tasks.jsonl format."""
    templates: str = "builtin:english"
    """Few-shot prompts of steps 2 and 3: builtin:english, builtin:tiny, or a folder with the same file names."""
    num_instructions: int = 52_445
    """Number of generated instructions to accept (52,445: paper, table 1)."""
    prompt_form: Literal["plain", "chat", "numbered"] = "plain"
    """Form of the prompt. plain: text that the model continues (base models); chat: a chat that asks the model to
    continue the text; numbered: a chat that asks for a numbered list. `selfinstruct probe` compares the forms."""
    language: Literal["english", "any"] = "english"
    """english: the paper's rules; any: words of every script count, and the first letter need not be Latin."""
    near_duplicates: NearDuplicateConfig = field(default_factory=NearDuplicateConfig)
    contamination: ContaminationConfig = field(default_factory=ContaminationConfig)
    max_requests: int | None = None
    """Maximum number of prompts of step 1, even if fewer instructions are accepted; null: no limit."""
    classification_seeds_only: bool = False
    """Use only classification seeds in prompts, and ask for classification tasks (released code:
    use_clf_seed_tasks_only)."""
    num_prompt_instructions: int = 8
    """Number of in-context instructions in a prompt of step 1 (8: paper, section 2.2)."""
    max_machine_instructions: int = 2
    """Maximum number of generated instructions among them (2: paper, section 2.2)."""
    requests_per_round: int = 5
    """Number of prompts that see the same pool. It changes the data (5: request_batch_size of the released code)."""
    rouge_l_threshold: float = 0.7
    """A candidate is dropped if its ROUGE-L with any instruction of the pool is higher (0.7: paper, section 2.2)."""
    max_instances: int = 5
    """Maximum number of instances per instruction (5: max_instances_to_generate of the released code)."""
    instruction_sampling: Sampling = field(
        # released code, bootstrap_instructions.py
        default_factory=lambda: Sampling(1024, 0.7, 0.5, 2.0, 0.0, ("\n\n", "\n16", "16.", "16 ."))
    )
    """Sampling of step 1, new instructions."""
    classification_sampling: Sampling = field(
        # released code, identify_clf_or_not.py
        default_factory=lambda: Sampling(3, 0.0, 1.0, 0.0, 0.0, ("\n", "Task"))
    )
    """Sampling of step 2, classification or not."""
    instance_sampling: Sampling = field(
        # released code, generate_instances.py; 350 where its limit depended on the batch (DECISIONS.md)
        default_factory=lambda: Sampling(350, 0.0, 1.0, 1.5, 0.0, ("Task:",))
    )
    """Sampling of step 3, instances."""

    def __post_init__(self) -> None:
        check_choices("generate", self)
        check_at_least_one(
            "generate", self, "num_instructions", "num_prompt_instructions", "requests_per_round", "max_instances"
        )
        check_limits("generate", self, "max_requests")
        check_similarity("generate", self, "rouge_l_threshold")
        if not 0 <= self.max_machine_instructions <= self.num_prompt_instructions:
            raise ValueError(
                f"generate.max_machine_instructions is {self.max_machine_instructions}; it must lie between 0 and "
                f"num_prompt_instructions ({self.num_prompt_instructions})"
            )
