"""One YAML file is one run: read into frozen dataclasses, checked at the door.

Precedence: defaults here < the YAML of `--config` < dotted overrides on the command line. Every default that comes from
the paper (arXiv 2212.10560) or its released code names its source.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .types import Sampling


@dataclass(frozen=True)
class ModelConfig:
    """The language model: it generates, it is finetuned, it is the base of the comparison."""

    path: str = "builtin:tiny"
    """Hub id, local folder, or builtin:tiny."""
    revision: str | None = None
    """Hub commit, tag or branch; pin it for a run you want to repeat."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """auto: bfloat16 on a GPU that has it, else float32."""
    device: str = "auto"
    """auto: the first GPU if there is one, else cpu."""
    batch_size: int = 32
    """Prompts run together by the transformers backend; a speed knob, it cannot reach the data."""
    trust_remote_code: bool = False
    """Run Python code that comes with the model; only for repositories you have read."""


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
    max_requests: int | None = None
    """Stop stage 1 after so many prompts even if fewer instructions were accepted."""
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


@dataclass(frozen=True)
class LoraSettings:
    """Low-rank adapters, used when `train.method` is lora."""

    r: int = 16
    alpha: int = 32
    dropout: float = 0.0
    target_modules: str = "all-linear"


@dataclass(frozen=True)
class TrainConfig:
    """Supervised finetuning of the same model on the generated data."""

    method: Literal["full", "lora"] = "full"
    mixtures: tuple[Literal["seeds", "seeds+generated"], ...] = ("seeds+generated",)
    """What to train on; each mixture makes a model of its own in <run_dir>/model/<mixture>."""
    dataset: str | None = None
    """Train on this jsonl, json or parquet file or folder (columns instruction, input, output) in place of the run's."""
    learning_rate: float = 2e-5
    epochs: float = 2.0
    """Two epochs: paper, section 4.1."""
    max_steps: int | None = None
    """Optimizer steps; overrides epochs, and makes mixtures of different size comparable."""
    batch_size: int = 16
    """Rows in an optimizer step, over all processes."""
    per_device_batch_size: int = 16
    max_length: int = 1024
    """Tokens; longer rows are dropped and counted."""
    warmup_ratio: float = 0.03
    lr_scheduler: Literal["linear", "cosine", "constant"] = "linear"
    weight_decay: float = 0.0
    template: Literal["paper", "fixed"] = "paper"
    """paper: one of the released code's 7 + 6 templates drawn per row; fixed: the one that evaluation uses."""
    save_steps: int = 200
    lora: LoraSettings = field(default_factory=LoraSettings)


@dataclass(frozen=True)
class EvalConfig:
    """Zero-shot evaluation of the base and of every trained model of the run."""

    tasks: str = "builtin:tiny"
    """A folder with tasks/*.json in Natural Instructions v2 format and splits/<split>/test_tasks.txt; builtin:tiny."""
    split: str = "default"
    user_oriented: str | None = None
    """A file in the user_oriented_instructions.jsonl format; None: not run."""
    max_instances_per_task: int = 100
    """Tk-Instruct and the paper: 100."""
    num_positive_examples: int = 0
    """0: definition only, as the paper's zero-shot setting."""
    sampling: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=128))
    bootstrap_samples: int = 1000


@dataclass(frozen=True)
class Config:
    """A whole run."""

    run_dir: str = "runs/tiny"
    seed: int = 42
    model: ModelConfig = field(default_factory=ModelConfig)
    generate: GenerateConfig = field(default_factory=GenerateConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    eval: EvalConfig = field(default_factory=EvalConfig)
