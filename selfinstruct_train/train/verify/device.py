"""Choose device and precision of a verification by free memory, before anything is loaded.

One GPU is used if it has room for the weights and the cache of the answers, else all GPUs, else the CPU.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...config import ModelConfig
from ...lm.transformers.memory import USABLE, free_bytes, token_sizes
from ...lm.transformers.speed import warn_if_slow
from ..network.model import make_skeleton, moved_to, trains_on_gpu

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Device:
    """The device and dtype of a model; `name` is cpu, cuda, or auto: spread over all GPUs."""

    name: str
    dtype: torch.dtype

    @property
    def device_map(self) -> str | None:
        """The argument of from_pretrained; None: the model is moved after loading."""
        return "auto" if self.name == "auto" else None

    def put(self, network: PreTrainedModel) -> PreTrainedModel:
        """Move a loaded network to the device; one that is spread is there already."""
        return (network if self.name == "auto" else moved_to(network, self.name)).eval()


@dataclass(frozen=True)
class Batch:
    """The size of a batch: number of rows and tokens of the longest, with its answer."""

    rows: int
    length: int

    @staticmethod
    def of(prompt_lengths: Sequence[int], limit: int, batch_size: int) -> Batch:
        """Return the largest batch for prompts of these lengths in tokens."""
        return Batch(min(batch_size, max(1, len(prompt_lengths))), max(prompt_lengths, default=0) + limit)


def dtypes_of_use(model: ModelConfig) -> list[torch.dtype]:
    """Return the precisions in which the model may be used, the preferred one first."""
    import torch

    if model.dtype != "auto":
        return [getattr(torch, model.dtype)]
    if trains_on_gpu(model) and torch.cuda.is_bf16_supported():
        return [torch.bfloat16]
    return [torch.float32, torch.bfloat16]


def find_device(model: ModelConfig, batch: Batch, dtypes: Sequence[torch.dtype]) -> Device | None:
    """Return the first device with room, GPUs before the CPU; None: there is none."""
    on_gpu = trains_on_gpu(model)
    for dtype in dtypes:
        name = _gpus_with_room(memory_needed(model, dtype, batch)) if on_gpu else None
        if name:
            return Device(name, dtype)
    for dtype in dtypes:
        needed = memory_needed(model, dtype, batch)
        if needed <= USABLE * free_bytes("cpu"):
            if on_gpu:
                log.warning("no GPU has %.1f GiB free: the model is verified on the CPU, which is slow", needed / 2**30)
            return Device("cpu", dtype)
    return None


def choose_device(model: ModelConfig, batch: Batch, dtypes: Sequence[torch.dtype]) -> Device:
    """Return the first device with room.

    Raises:
        ValueError: there is none.
    """
    device = find_device(model, batch, dtypes)
    if device is None:
        needed = memory_needed(model, dtypes[-1], batch) / 2**30
        raise ValueError(
            f"{model.path} could not be examined: it needs {needed:.1f} GiB of free memory for {batch.rows} answers at "
            f"a time, and neither the GPUs nor the machine ({free_bytes('cpu') / 2**30:.1f} GiB) have it; it can be "
            "verified later by `selfinstruct verify`, with a smaller --model.batch_size or on a larger machine"
        )
    is_chosen = model.dtype == str(device.dtype).removeprefix("torch.")
    remedy = "set model.dtype: float32" if is_chosen else "a GPU, or memory for float32, makes verification faster"
    warn_if_slow(device.name, device.dtype, remedy)
    return device


def memory_needed(model: ModelConfig, dtype: torch.dtype, batch: Batch) -> int:
    """Return the bytes of weights, cache, one layer's activations, and logits of one prompt."""
    skeleton = make_skeleton(model)
    sizes = token_sizes(skeleton.config)
    of_a_token = sizes.cache + 6 * sizes.hidden + 3 * sizes.inner
    numbers = sum(parameter.numel() for parameter in skeleton.parameters())
    numbers += batch.rows * batch.length * of_a_token + batch.length * skeleton.config.get_text_config().vocab_size
    return int(dtype.itemsize * numbers)


def _gpus_with_room(needed: int) -> str | None:
    import torch

    gc.collect()
    torch.cuda.empty_cache()
    first, _ = torch.cuda.mem_get_info(0)
    if needed <= USABLE * first:
        return "cuda"
    number = torch.cuda.device_count()
    everywhere = sum(torch.cuda.mem_get_info(device)[0] for device in range(number))
    return "auto" if number > 1 and needed <= USABLE * everywhere else None
