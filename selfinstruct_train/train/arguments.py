"""The run's settings in TRL's and peft's words."""

from __future__ import annotations

import math
from typing import Any

from ..config import Config
from ..seeding import derive_seed
from .model import uses_bfloat16
from .plan import Plan
from .validation import validation_arguments

CHECKPOINTING_FROM = 10**9
"""Parameters from which activations are computed again in the backward pass, on a GPU, to fit its memory."""


def make_arguments(plan: Plan, network: Any, micro_batch: int, accumulation: int, on_gpu: bool) -> Any:
    """Return the SFTConfig of a plan."""
    from trl import SFTConfig

    train = plan.config.train
    steps = train.max_steps or math.ceil(math.ceil(len(plan.rows) / train.batch_size) * train.epochs)
    is_large = sum(parameter.numel() for parameter in network.parameters()) >= CHECKPOINTING_FROM
    # Newer versions of transformers 5 renamed it, and warn of the old name.
    fields = SFTConfig.__dataclass_fields__
    checkpointing = "activation_checkpointing" if "activation_checkpointing" in fields else "gradient_checkpointing"
    settings: dict[str, Any] = {
        "output_dir": str(plan.work),
        "per_device_train_batch_size": micro_batch,
        "gradient_accumulation_steps": accumulation,
        "learning_rate": train.learning_rate,
        "num_train_epochs": train.epochs,
        "max_steps": train.max_steps or -1,
        "warmup_steps": math.ceil(steps * train.warmup_ratio),
        "lr_scheduler_type": "constant_with_warmup" if train.lr_scheduler == "constant" else train.lr_scheduler,
        "weight_decay": train.weight_decay,
        "seed": derive_seed(plan.config.seed, "train", "trainer") % 2**31,
        "bf16": uses_bfloat16(train, on_gpu),
        "use_cpu": not on_gpu,
        checkpointing: on_gpu and is_large,
        "dataloader_pin_memory": on_gpu,
        "ddp_find_unused_parameters": False,
        "max_length": None,
        "dataset_kwargs": {"skip_prepare_dataset": True},
        "logging_steps": max(1, steps // 200),
        "save_strategy": "steps",
        "save_steps": train.save_steps,
        "save_total_limit": 2,
        "report_to": "none",
        "disable_tqdm": True,
    } | validation_arguments(train)
    return SFTConfig(**settings)


def make_lora(config: Config) -> Any:
    """Return the peft LoraConfig of a run; None for full finetuning."""
    if config.train.method == "full":
        return None
    from peft import LoraConfig

    lora = config.train.lora
    modules = lora.target_modules
    return LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=modules if modules == "all-linear" else [name.strip() for name in modules.split(",")],
        use_dora=lora.use_dora,
        use_rslora=lora.use_rslora,
        task_type="CAUSAL_LM",
    )
