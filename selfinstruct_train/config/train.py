"""Settings of supervised finetuning, full or with low-rank adapters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..core.names import SEEDS_AND_GENERATED, Mixture
from .ranges import check_at_least_one, check_choices, check_limits, check_range


@dataclass(frozen=True)
class LoraSettings:
    """Low-rank adapters, used when `train.method` is lora or qlora."""

    r: int = 16
    alpha: int = 32
    dropout: float = 0.0
    target_modules: str = "all-linear"
    """all-linear: every linear layer but the output head; or names, separated by commas: q_proj,v_proj."""
    use_dora: bool = False
    """Learn magnitude and direction apart (DoRA, arXiv 2402.09353)."""
    use_rslora: bool = False
    """Scale by alpha / sqrt(r) in place of alpha / r (rsLoRA, arXiv 2312.03732), for large ranks."""

    def __post_init__(self) -> None:
        check_at_least_one("train.lora", self, "r")
        check_range("train.lora", self, ["dropout"], lambda x: 0 <= x < 1, "it must lie in [0, 1)")


@dataclass(frozen=True)
class TrainConfig:
    """Supervised finetuning of the same model on the generated data."""

    method: Literal["full", "lora", "qlora"] = "full"
    """qlora: LoRA on a base held in 4 bits (arXiv 2305.14314; extra `quant`)."""
    mixtures: tuple[Mixture, ...] = (SEEDS_AND_GENERATED,)
    """What to train on; each mixture makes a model of its own in <run_dir>/model/<mixture>."""
    dataset: str | None = None
    """Train on this file or folder (jsonl, json, parquet; columns instruction, input, output) in place of the run's."""
    learning_rate: float = 2e-5
    epochs: float = 2.0
    """Two epochs: paper, section 4.1."""
    max_steps: int | None = None
    """Optimizer steps; overrides epochs, and makes mixtures of different size comparable."""
    batch_size: int = 16
    """Rows in an optimizer step, over all processes; with packing: packs."""
    per_device_batch_size: int = 16
    max_length: int = 1024
    """Tokens of a row; with packing, of a pack."""
    too_long: Literal["drop", "truncate"] = "drop"
    """What becomes of a longer row: dropped and counted, or its completion is cut (and then has no end to learn)."""
    packing: bool = False
    """Put several rows into one of max_length, kept apart in attention and positions; no work goes into padding."""
    prompt_loss_weight: float = 0.0
    """Of a prompt token's loss, where a completion token's is 1. 0: none on prompts (paper, section 4.1)."""
    neftune_alpha: float | None = None
    """Noise on the embeddings while training (NEFTune, arXiv 2310.05914); its authors try 5, 10 and 15. It shrinks with
    the root of a batch's width, which with packing is the pack's: there a larger alpha gives the same noise."""
    warmup_ratio: float = 0.03
    lr_scheduler: Literal["linear", "cosine", "constant"] = "linear"
    weight_decay: float = 0.0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the matrix products; the trained weights stay float32. auto: bfloat16 on a GPU that has it, else float32."""
    attention: Literal["auto", "sdpa", "eager", "flash_attention_2", "flex_attention"] = "auto"
    """auto: flash attention on a GPU that has it installed, else the model's default; with packing, SDPA runs document
    by document."""
    activation_checkpointing: Literal["auto", "on", "off"] = "auto"
    """Compute activations again in the backward pass, for memory. auto: on a GPU, from a billion parameters."""
    template: Literal["paper", "fixed", "chat"] = "paper"
    """paper: one of the released code's 7 + 6 templates drawn per row; fixed: one of our own; chat: the model's own
    chat template. Evaluation asks in the same form."""
    save_steps: int = 200
    validation_rows: int = 0
    """Rows kept out of training, by instruction, and measured at each checkpoint (loss, ROUGE-L); the best checkpoint
    becomes the model. 0: none, and the last step does."""
    best_by: Literal["loss", "rouge_l"] = "loss"
    """What the best checkpoint is best in, on the held-out rows."""
    report_to: tuple[str, ...] = ()
    """Trackers that transformers knows, e.g. tensorboard, wandb, trackio."""
    max_hours: float | None = None
    """Refuse a training that the doctor expects to take longer; null: no limit."""
    allow: tuple[str, ...] = ()
    """Checks of the doctor, or of the finished model, whose errors you accept: they become warnings."""
    lora: LoraSettings = field(default_factory=LoraSettings)

    def __post_init__(self) -> None:
        check_choices("train", self)
        check_at_least_one("train", self, "batch_size", "per_device_batch_size", "max_length", "save_steps")
        check_limits("train", self, "max_steps")
        check_range("train", self, ("learning_rate", "epochs"), lambda x: x > 0, "it must be above 0")
        check_range(
            "train", self, ("warmup_ratio", "prompt_loss_weight"), lambda x: 0 <= x <= 1, "it must lie in [0, 1]"
        )
        check_range("train", self, ["weight_decay"], lambda x: 0 <= x < 1, "it must lie in [0, 1)")
        check_range("train", self, ("neftune_alpha", "max_hours"), lambda x: x > 0, "it must be above 0, or null")
        check_range("train", self, ["validation_rows"], lambda n: n >= 0, "it must be 0 (none) or a number of rows")
        if not self.mixtures:
            raise ValueError("train.mixtures is empty; name at least one of seeds, seeds+generated")
