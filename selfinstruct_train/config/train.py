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
    """Rank of the adapter matrices."""
    alpha: int = 32
    """Scaling numerator: the adapter's output is multiplied by alpha / r."""
    dropout: float = 0.0
    """Dropout on the adapter's input."""
    target_modules: str = "all-linear"
    """all-linear: every linear layer except the output head; or layer names separated by commas: q_proj,v_proj."""
    use_dora: bool = False
    """Train magnitude and direction separately (DoRA, arXiv 2402.09353)."""
    use_rslora: bool = False
    """Scale by alpha / sqrt(r) instead of alpha / r, for large ranks (rsLoRA, arXiv 2312.03732)."""

    def __post_init__(self) -> None:
        check_at_least_one("train.lora", self, "r")
        check_range("train.lora", self, ["dropout"], lambda x: 0 <= x < 1, "it must lie in [0, 1)")


@dataclass(frozen=True)
class TrainConfig:
    """Supervised finetuning of the model on the generated data."""

    method: Literal["full", "lora", "qlora"] = "full"
    """full: all weights; lora: low-rank adapters; qlora: LoRA on a 4-bit base (arXiv 2305.14314; extra `quant`)."""
    mixtures: tuple[Mixture, ...] = (SEEDS_AND_GENERATED,)
    """Training data. Each mixture gives a separate model in <run_dir>/model/<mixture>."""
    dataset: str | None = None
    """File or folder of rows (jsonl, json, parquet; columns instruction, input, output); null: the run's dataset."""
    learning_rate: float = 2e-5
    """Peak learning rate of AdamW."""
    epochs: float = 2.0
    """Number of passes over the rows (2: paper, section 4.1)."""
    max_steps: int | None = None
    """Number of optimizer steps; overrides epochs. The same number makes mixtures of different size comparable."""
    batch_size: int = 16
    """Number of rows per optimizer step, over all processes. With packing: number of packs."""
    per_device_batch_size: int = 16
    """Number of rows per forward pass of one process. Gradient accumulation makes up the rest of batch_size."""
    max_length: int = 1024
    """Maximum number of tokens of a row. With packing: number of tokens of a pack."""
    too_long: Literal["drop", "truncate"] = "drop"
    """drop: longer rows are dropped and counted; truncate: their completion is cut, without an end token."""
    packing: bool = False
    """Put several rows into one sequence of max_length, with separate attention and positions. This avoids padding."""
    prompt_loss_weight: float = 0.0
    """Loss weight of prompt tokens; completion tokens have weight 1. 0: no loss on prompts (paper, section 4.1)."""
    neftune_alpha: float | None = None
    """Noise on the embeddings during training (NEFTune, arXiv 2310.05914; its authors use 5, 10 and 15). The noise
    shrinks with the square root of the sequence length, so packing needs a larger value for the same noise."""
    warmup_ratio: float = 0.03
    """Fraction of the steps in which the learning rate rises to its peak."""
    lr_scheduler: Literal["linear", "cosine", "constant"] = "linear"
    """Schedule after the warm-up."""
    weight_decay: float = 0.0
    """Weight decay of AdamW."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of matrix products; trained weights are float32. auto: bfloat16 on a GPU with support, else float32."""
    attention: Literal["auto", "sdpa", "eager", "flash_attention_2", "flex_attention"] = "auto"
    """Attention kernel. auto: flash attention on a GPU if it is installed, else the model's default. With packing, SDPA
    runs row by row."""
    activation_checkpointing: Literal["auto", "on", "off"] = "auto"
    """Recompute activations in the backward pass to save memory. auto: on a GPU, from a billion parameters."""
    template: Literal["paper", "fixed", "chat"] = "paper"
    """Prompt template. paper: for each row a random one of the released code's 7 + 6 templates; fixed: the project's
    own template; chat: the model's chat template. Evaluation uses the same setting."""
    save_steps: int = 200
    """Number of steps between checkpoints."""
    validation_rows: int = 0
    """Number of validation rows, split off by instruction. Each checkpoint is scored on them (loss, ROUGE-L), and the
    best one becomes the model. 0: no validation; the last step becomes the model."""
    best_by: Literal["loss", "rouge_l"] = "loss"
    """Metric that chooses the best checkpoint on the validation rows."""
    report_to: tuple[str, ...] = ()
    """Experiment trackers of transformers, e.g. tensorboard, wandb, trackio."""
    max_hours: float | None = None
    """Refuse to start if the doctor estimates a longer training; null: no limit."""
    allow: tuple[str, ...] = ()
    """Names of checks (doctor or verification) whose errors you accept. They become warnings."""
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
