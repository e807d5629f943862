"""Settings of the paper's four steps, and of the filters on instructions and rows.

Every default that comes from the paper (arXiv 2212.10560) or its released code names its source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..core.records import Sampling
from .ranges import check_at_least_one, check_choices, check_limits, check_similarity


@dataclass(frozen=True)
class ContaminationConfig:
    """Generated rows that overlap evaluation data."""

    action: Literal["block", "flag", "off"] = "block"
    """block: they are left out of the dataset; flag: they stay, marked in the ledger; both are counted in the card."""
    sets: tuple[str, ...] = ("eval",)
    """Texts no row may overlap: eval (what the section `eval` names), or files, folders, archives and hub: datasets in
    one of its formats, or rows with instruction, input and output."""
    ngram: int = 13
    """A row that shares so many words in a row with an evaluation text overlaps it (13: GPT-3 paper, appendix C)."""
    rouge_l_threshold: float = 0.7
    """So does a row whose instruction or input is more similar than this to one of an evaluation set; 1: off."""

    def __post_init__(self) -> None:
        section = "generate.contamination"
        check_choices(section, self)
        check_similarity(section, self, "rouge_l_threshold")
        check_at_least_one(section, self, "ngram")


@dataclass(frozen=True)
class NearDuplicateConfig:
    """A second filter on instructions, beyond ROUGE-L (extra `dedup`)."""

    method: Literal["none", "minhash", "embeddings"] = "none"
    threshold: float = 0.8
    """Jaccard similarity of word triples (minhash) or cosine (embeddings) above which a candidate goes."""
    embedding_model: str | None = None
    """A sentence-transformers model, Hub id or folder."""
    embedding_revision: str | None = None
    """Its Hub commit, tag or branch; pin it for a run you want to repeat."""

    def __post_init__(self) -> None:
        section = "generate.near_duplicates"
        check_choices(section, self)
        check_similarity(section, self, "threshold")
        if self.method == "embeddings" and not self.embedding_model:
            raise ValueError(f"{section}.method is embeddings; name {section}.embedding_model")


@dataclass(frozen=True)
class GenerateConfig:
    """The paper's four steps, from seed tasks to a dataset."""

    method: Literal["default", "paper"] = "default"
    """paper: as the released code, faults included; default: known faults put right (DECISIONS.md)."""
    seed_tasks: str = "builtin:english"
    """builtin:english, builtin:tiny, or a file in the released seed_tasks.jsonl format."""
    templates: str = "builtin:english"
    """Few-shot prompts of stages 2 and 3: builtin:english, builtin:tiny, or a folder with the same file names."""
    num_instructions: int = 52_445
    """Stop when so many machine-written instructions are accepted (52,445: paper, table 1)."""
    prompt_form: Literal["plain", "chat", "numbered"] = "plain"
    """How a prompt is put to the model: plain text to go on with (a base model); chat: the same text in a chat that
    asks to continue it; numbered: a chat that asks for a numbered list. `selfinstruct probe` compares them for your
    model."""
    language: Literal["english", "any"] = "english"
    """any: words of every script count for novelty and length, and no rule asks for a Latin first letter."""
    near_duplicates: NearDuplicateConfig = field(default_factory=NearDuplicateConfig)
    contamination: ContaminationConfig = field(default_factory=ContaminationConfig)
    max_requests: int | None = None
    """Stop stage 1 after so many prompts even if fewer instructions were accepted."""
    classification_seeds_only: bool = False
    """Prompt with classification seeds only, under the header that asks for such tasks (released code:
    use_clf_seed_tasks_only)."""
    num_prompt_instructions: int = 8
    """In-context instructions of a stage-1 prompt (paper, section 2.2)."""
    max_machine_instructions: int = 2
    """At most so many of them machine-written (paper, section 2.2)."""
    requests_per_round: int = 5
    """Prompts that see the same pool; part of the method (released code: request_batch_size 5)."""
    rouge_l_threshold: float = 0.7
    """A candidate more similar than this to any instruction of the pool is dropped (0.7: paper, section 2.2)."""
    max_instances: int = 5
    """Instances kept for one instruction (released code: max_instances_to_generate 5)."""
    instruction_sampling: Sampling = field(
        # released code, bootstrap_instructions.py
        default_factory=lambda: Sampling(1024, 0.7, 0.5, 2.0, 0.0, ("\n\n", "\n16", "16.", "16 ."))
    )
    classification_sampling: Sampling = field(
        # released code, identify_clf_or_not.py
        default_factory=lambda: Sampling(3, 0.0, 1.0, 0.0, 0.0, ("\n", "Task"))
    )
    instance_sampling: Sampling = field(
        # released code, generate_instances.py; 350 where its limit depended on the batch (DECISIONS.md)
        default_factory=lambda: Sampling(350, 0.0, 1.0, 1.5, 0.0, ("Task:",))
    )

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
