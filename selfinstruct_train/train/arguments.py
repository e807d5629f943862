"""The run's settings as TRL's and peft's arguments, and the checks that this machine and model support them.

Every argument that decides a result is set explicitly, even to today's default: the defaults of TRL and transformers
differ, and both change. Nothing is loaded or trained here.
"""

from __future__ import annotations

import difflib
import logging
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import Config
from ..core.seeding import derive_seed
from .data.packing import num_examples
from .network.model import uses_bfloat16
from .plan import Plan
from .validation import validation_arguments

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel
    from trl import SFTConfig

logger = logging.getLogger(__name__)

CHECKPOINTING_FROM = 10**9
"""From this many parameters on, activation checkpointing "auto" is on for a GPU."""
KEPT_CHECKPOINTS = 2
_OF_EVERY_TRAINING: dict[str, Any] = {
    "average_tokens_across_devices": True,
    "optim": "adamw_torch_fused",
    "max_grad_norm": 1.0,
    "ddp_find_unused_parameters": False,
    "remove_unused_columns": False,  # models take no argument for the lengths of a pack
    "max_length": None,
    "packing": False,  # our own packs are made before
    "padding_free": False,
    "completion_only_loss": False,  # the labels say where the loss falls
    "loss_type": "nll",
    "dataset_kwargs": {"skip_prepare_dataset": True},
    "logging_nan_inf_filter": False,  # it would show the last good loss in place of a NaN
    "save_strategy": "steps",
    "save_total_limit": KEPT_CHECKPOINTS,
    "disable_tqdm": True,
}
"""The arguments of SFTConfig that no run changes."""


def num_steps(plan: Plan) -> tuple[int, int]:
    """Return the optimizer steps of an epoch and of the whole training."""
    train = plan.config.train
    in_epoch = math.ceil(num_examples(plan.rows, train) / train.batch_size)
    return in_epoch, train.max_steps or math.ceil(in_epoch * train.epochs)


def micro_batches(config: Config, num_processes: int) -> tuple[int, int]:
    """Return rows in a micro-batch and micro-batches in a step, for each process.

    Raises:
        ValueError: the batch size is no multiple of the rows that all processes take at once.
    """
    batch_size = config.train.batch_size
    if batch_size % num_processes:
        raise ValueError(
            f"train.batch_size is {batch_size}, which {num_processes} processes cannot share; make it a multiple"
        )
    micro_batch = min(config.train.per_device_batch_size, batch_size // num_processes)
    if batch_size % (micro_batch * num_processes):
        raise ValueError(
            f"train.batch_size is {batch_size}, no multiple of per_device_batch_size {micro_batch} times "
            f"{num_processes} processes; change one of them"
        )
    return micro_batch, batch_size // (micro_batch * num_processes)


def make_arguments(
    plan: Plan, num_parameters: int, micro_batch: int, accumulation: int, on_gpu: bool, is_over: bool = False
) -> SFTConfig:
    """Return the SFTConfig of a plan.

    Args:
        is_over: the last step has been taken, so a trainer that resumes with these arguments takes no other.
    """
    from trl import SFTConfig

    train = plan.config.train
    _, steps = num_steps(plan)
    # Newer versions of transformers 5 renamed the argument and warn about the old name.
    fields = SFTConfig.__dataclass_fields__
    checkpointing = "activation_checkpointing" if "activation_checkpointing" in fields else "gradient_checkpointing"
    settings: dict[str, Any] = {
        "output_dir": str(plan.work),
        "per_device_train_batch_size": micro_batch,
        "per_device_eval_batch_size": micro_batch,
        "gradient_accumulation_steps": accumulation,
        "learning_rate": train.learning_rate,
        "num_train_epochs": 0 if is_over else train.epochs,
        "max_steps": -1 if is_over or not train.max_steps else train.max_steps,
        "warmup_steps": math.ceil(steps * train.warmup_ratio),
        "lr_scheduler_type": "constant_with_warmup" if train.lr_scheduler == "constant" else train.lr_scheduler,
        "weight_decay": train.weight_decay,
        "neftune_noise_alpha": train.neftune_alpha,
        "seed": derive_seed(plan.config.seed, "train", "trainer") % 2**31,
        "bf16": uses_bfloat16(train, on_gpu),
        "use_cpu": not on_gpu,
        checkpointing: _recomputes(train.activation_checkpointing, num_parameters, on_gpu),
        f"{checkpointing}_kwargs": {"use_reentrant": False},
        "dataloader_pin_memory": on_gpu,
        "logging_steps": max(1, steps // 200),
        "save_steps": train.save_steps,
        "run_name": f"{Path(plan.config.run_dir).resolve().name}-{plan.mixture}",
        "report_to": list(train.report_to) or "none",
    }
    arguments = SFTConfig(**_OF_EVERY_TRAINING, **settings, **validation_arguments(train))
    if arguments.n_gpu > 1:  # with several visible GPUs the Trainer would use DataParallel, which TRL refuses
        logger.warning(
            "%d GPUs are visible, but this process trains on the first alone; to use all: "
            "accelerate launch --multi_gpu --num_processes %d -m selfinstruct_train train CONFIG",
            *(arguments.n_gpu, arguments.n_gpu),
        )
        arguments._n_gpu = 1
    return arguments


def make_lora(config: Config) -> LoraConfig | None:
    """Return the peft LoraConfig of a run; None for full finetuning."""
    if config.train.method == "full":
        return None
    from peft import LoraConfig

    lora = config.train.lora
    return LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.target_modules if lora.target_modules == "all-linear" else _target_names(config),
        use_dora=lora.use_dora,
        use_rslora=lora.use_rslora,
        task_type="CAUSAL_LM",
    )


def check_lora_targets(config: Config, skeleton: PreTrainedModel) -> None:
    """Refuse names in train.lora.target_modules that this model does not have; peft ignores them silently.

    Raises:
        ValueError: it names them and the layers that the model has.
    """
    if config.train.method == "full" or config.train.lora.target_modules == "all-linear":
        return
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    head = skeleton.get_output_embeddings()
    layers = [
        name
        for name, module in skeleton.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and module is not head
    ]
    missing = [
        target
        for target in _target_names(config)
        if not any(name == target or name.endswith(f".{target}") for name in layers)
    ]
    if missing or not _target_names(config):
        known = ", ".join(sorted({name.rpartition(".")[2] for name in layers}))
        raise ValueError(
            f"train.lora.target_modules: {', '.join(map(repr, missing)) or 'no name'} is no linear layer of "
            f"{config.model.path!r}, which has {known}; choose among these, or all-linear"
        )


def check_available(config: Config, on_gpu: bool) -> None:
    """Refuse settings that need a package or a device that is missing, before anything costly.

    Raises:
        ValueError: one line with the remedy.
    """
    train = config.train
    if train.method == "qlora" and find_spec("bitsandbytes") is None:
        raise ValueError(
            "train.method is qlora, which needs bitsandbytes; pip install 'selfinstruct-train[quant]', or choose lora"
        )
    sharding = [name for name in ("FSDP", "DEEPSPEED") if os.environ.get(f"ACCELERATE_USE_{name}") == "true"]
    if train.method == "qlora" and sharding:
        raise ValueError(
            f"train.method is qlora, whose weights in 4 bits are not sharded by {sharding[0]}; launch with "
            "configs/accelerate/ddp.yaml, or choose lora"
        )
    if train.attention == "flash_attention_2":
        from transformers.utils import is_flash_attn_2_available

        if not on_gpu or not is_flash_attn_2_available():
            raise ValueError(
                "train.attention is flash_attention_2, which needs a GPU and the package flash-attn; install it, or "
                "set train.attention: auto"
            )
    _check_trackers(train.report_to)


@contextmanager
def tracker_folder(plan: Plan) -> Iterator[None]:
    """Let TensorBoard write into <run_dir>/logs/<mixture>, unless the user's environment names another folder."""
    name = "TENSORBOARD_LOGGING_DIR"
    if name in os.environ:
        yield
        return
    os.environ[name] = str(Path(plan.config.run_dir) / "logs" / plan.mixture)
    try:
        yield
    finally:
        del os.environ[name]


def _check_trackers(names: tuple[str, ...]) -> None:
    if not names:
        return
    from transformers.integrations import get_available_reporting_integrations
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    for name in names:
        if name not in INTEGRATION_TO_CALLBACK:
            near = difflib.get_close_matches(name, INTEGRATION_TO_CALLBACK, n=1, cutoff=0.5)
            known = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(INTEGRATION_TO_CALLBACK))}"
            raise ValueError(f"train.report_to: {name!r} is no tracker of transformers; {known}")
        if name not in get_available_reporting_integrations():
            package = "'selfinstruct-train[track]'" if name == "tensorboard" else name
            raise ValueError(
                f"train.report_to: the tracker {name!r} is not installed; pip install {package}, or take it out"
            )


def _recomputes(setting: str, num_parameters: int, on_gpu: bool) -> bool:
    return setting == "on" or (setting == "auto" and on_gpu and num_parameters >= CHECKPOINTING_FROM)


def _target_names(config: Config) -> list[str]:
    return [name.strip() for name in config.train.lora.target_modules.split(",") if name.strip()]
