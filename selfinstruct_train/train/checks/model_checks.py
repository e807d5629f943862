"""The doctor's checks of model, memory and time. No weights are loaded; the estimates are made in `estimate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...config import TrainConfig
from ..plan import Plan
from .devices import Devices
from .estimate import Estimate
from .findings import Finding

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

TIGHT = 0.9
"""Share of a device's memory above which a training may not fit: other processes use some, and the estimate has an
error."""


def check_vocabulary(plan: Plan, model_config: PreTrainedConfig) -> Finding:
    """Every token id of rows and prompts has an embedding in the model.

    Args:
        model_config: the model's config as transformers reads it.
    """
    tokenizer = plan.tokenizer
    embeddings = int(model_config.get_text_config().vocab_size)
    highest = max(max(row.input_ids) for row in plan.rows)
    beyond = {token: id for token, id in tokenizer.get_added_vocab().items() if id >= embeddings}
    summary = f"the model has {embeddings:,} embeddings, the tokenizer {len(tokenizer):,} tokens"
    is_in_validation = any(
        token in f"{row.instruction} {row.input} {row.output}" for row in plan.validation_rows for token in beyond
    )
    if plan.embeddings_needed <= embeddings and not is_in_validation:
        if not beyond:
            return Finding("vocabulary", "ok", f"{summary}, the rows' highest id is {highest:,}")
        what = f"{summary}: no row uses those without an embedding, and a prompt that does would fail"
        return Finding("vocabulary", "warning", what, example=", ".join(beyond), remedy="keep them out of all texts")
    users = [index for index, row in enumerate(plan.rows) if max(row.input_ids) >= embeddings]
    return Finding(
        "vocabulary",
        "error",
        f"{summary}: they do not belong together, ids without an embedding stop the training",
        len(users),
        len(plan.rows),
        ", ".join([f"highest id in the rows {highest}", *(f"{token} ({id})" for token, id in beyond.items())]),
        "take the tokenizer that came with the model (model.path), or give the model rows for the added tokens "
        "(resize_token_embeddings, then save both)",
    )


def check_memory(estimate: Estimate, devices: Devices, train: TrainConfig) -> Finding:
    """The training fits one device."""
    needed, has = estimate.memory_bytes, devices.memory
    parts = ", ".join(f"{name} {_gib(size)}" for name, size in estimate.memory.items() if size)
    summary = f"about {_gib(needed)} of {_gib(has)} on each of {devices.number} x {devices.name} ({parts})"
    if needed <= TIGHT * has:
        return Finding("memory", "ok", summary)
    return Finding(
        "memory",
        "error" if needed > has else "warning",
        f"{summary}: {'more than there is' if needed > has else 'it may not fit'}",
        remedy=_saving(estimate, devices, train),
    )


def check_time(estimate: Estimate, devices: Devices, train: TrainConfig) -> Finding:
    """The training ends within train.max_hours, in a precision in which the CPU is not slow.

    On a CPU, whose speed is measured while other programs may run, up to twice max_hours is only a warning.
    """
    summary = f"about {_duration(estimate.seconds)} for {estimate.steps:,} steps on {devices.number} x {devices.name}"
    if devices.slowness is not None:
        summary += f", and {devices.slowness}"
    is_in_time = train.max_hours is None or estimate.seconds <= 3600 * train.max_hours
    if is_in_time and devices.slowness is not None:
        return Finding("time", "warning", summary, remedy="set train.precision: float32")
    if train.max_hours is None or is_in_time:
        return Finding("time", "ok", summary)
    ways = [] if devices.slowness is None else ["set train.precision: float32"]
    ways += ["lower train.epochs" if train.max_steps is None else f"lower train.max_steps ({train.max_steps})"]
    if not train.packing:
        ways.append("pack rows (train.packing: true)")
    ways += ["take more or faster devices", "raise train.max_hours"]
    what = f"{summary}: longer than train.max_hours {train.max_hours:g}"
    is_certain = devices.on_gpu or estimate.seconds > 2 * 3600 * train.max_hours
    return Finding("time", "error" if is_certain else "warning", what, remedy=", or ".join(ways))


def _saving(estimate: Estimate, devices: Devices, train: TrainConfig) -> str:
    """Return the settings that reduce the largest part."""
    states = sum(estimate.memory.get(part, 0) for part in ("weights", "gradients", "optimizer"))
    passing = estimate.memory.get("activations", 0) + estimate.memory.get("logits", 0)
    ways = []
    if passing > states:
        if train.per_device_batch_size > 1:
            ways.append(f"lower train.per_device_batch_size ({train.per_device_batch_size})")
        ways.append(f"lower train.max_length ({train.max_length})")
        if train.activation_checkpointing != "on":
            ways.append("set train.activation_checkpointing: on")
    else:
        if train.method != "qlora":
            ways.append(f"set train.method: {'lora' if train.method == 'full' else 'qlora'}")
        if devices.on_gpu:
            ways.append("shard the model over several GPUs (ACCELERATE=fsdp2)")
        ways.append("take a smaller model")
    return ", or ".join(ways)


def _gib(size: int) -> str:
    return f"{size / 2**30:,.1f} GiB" if size >= 2**30 else f"{size / 2**20:,.0f} MiB"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
