"""Estimate the memory and the time of a training before it starts.

Weights, gradients and optimizer are counted in bytes per parameter, activations by a step on fake tensors (`dry_step`),
time by its operations at a share of the device's peak. The time is without validation, writing checkpoints, and traffic
between devices. docs/models.md compares estimates with measurements.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...config import Config, TrainConfig
from ..arguments import CHECKPOINTING_FROM, make_lora
from ..data.packing import pack_rows
from ..data.sampler import StepSampler
from .devices import Devices
from .dry_step import Network, Shape, Step, dry_step, network_sizes

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

GPU_UTILISATION = 0.35
"""Share of a GPU's dense peak that a training reaches; an assumption, not measured by this project."""
CPU_UTILISATION = 0.5
"""Share of a large matrix product's speed on the same CPU; five small trainings had 0.3 to 0.8 (docs/models.md)."""
GPU_RUNTIME = int(1.5 * 2**30)
"""Bytes on a GPU before the first tensor: CUDA context, cuBLAS and NCCL buffers; an assumption."""
CPU_RUNTIME = 900 * 2**20
"""Bytes of a Python process that has loaded torch, transformers, trl and datasets; measured."""
FRAGMENTATION = 0.1
"""Share of activations and logits that the allocator cannot reuse; an assumption."""
HEAD_TOKENS, HEAD_CHUNK = 4096, 32_768
"""The tokens and the vocabulary entries that TRL's chunked loss computes at a time on a GPU (trl 1.16)."""
FOUR_BIT = 4.127 / 8
"""Bytes of a weight in 4 bits with doubly quantised constants (QLoRA, arXiv 2305.14314, section 3: 0.127 bits)."""


@dataclass(frozen=True)
class Estimate:
    """Bytes on one device by part (weights, gradients, optimizer, activations, logits, other), steps and seconds."""

    memory: dict[str, int]
    steps: int
    seconds: float

    @property
    def memory_bytes(self) -> int:
        """The sum of all parts."""
        return sum(self.memory.values())


def count_parameters(model_config: PreTrainedConfig) -> int:
    """Return the number of parameters of a transformers config's causal LM."""
    return network_sizes(model_config).num_parameters


def estimate(
    model_config: PreTrainedConfig,
    train: TrainConfig,
    lengths: Sequence[int],
    devices: Devices,
    sharded: int = 1,
    shards_weights: bool = True,
) -> Estimate:
    """Estimate one training.

    Args:
        model_config: the model's transformers config.
        lengths: tokens of each training row.
        sharded: devices over which gradients and optimizer states are sharded (FSDP, ZeRO); 1: each has all.
        shards_weights: the weights are sharded too (FSDP, ZeRO-3; not ZeRO-2).

    Raises:
        ValueError: transformers cannot build this architecture from its config.
    """
    assert lengths and sharded >= 1
    half = train.precision == "bfloat16" or (train.precision == "auto" and devices.on_gpu and devices.has_bfloat16)
    rows = min(train.per_device_batch_size, max(1, train.batch_size // devices.number), max(1, len(lengths)))
    length = train.max_length if train.packing else min(train.max_length, max(lengths))
    lora = make_lora(Config(train=train))
    shape = Shape(
        rows=rows,
        length=length,
        half=half,
        half_weights=half and (lora is not None or (sharded > 1 and shards_weights)),
        checkpointing=_checkpointing(model_config, train, devices.on_gpu),
        masked=_has_mask(train, min(lengths) < length),
        attention=train.attention if train.attention in ("eager", "sdpa") else None,
    )
    sizes, step = dry_step(model_config, shape, lora)
    memory = _states(sizes, train, half, devices, sharded, shards_weights)
    kept = step.kept + step.copies
    in_pieces = devices.on_gpu and not train.prompt_loss_weight
    logits = _head_in_pieces(model_config, sizes, shape) if in_pieces else step.head
    # The loss head's memory is free again when the backward pass needs more.
    beyond = max(0.0, step.peak - kept - logits)
    runtime = GPU_RUNTIME if devices.on_gpu else CPU_RUNTIME
    memory |= {"activations": kept, "logits": logits}
    memory["other"] += beyond + runtime + FRAGMENTATION * (kept + logits)
    units, shares = _units(lengths, train, rows, devices.number)
    steps = train.max_steps or math.ceil(math.ceil(units / train.batch_size) * train.epochs)
    flops = sum(_flops(model_config, sizes, step, shape, tokens, seen) for tokens, seen in shares)
    flops *= steps / math.ceil(units / train.batch_size)
    speed = devices.flops * (GPU_UTILISATION if devices.on_gpu else CPU_UTILISATION)
    return Estimate(
        memory={part: int(size) for part, size in memory.items()},
        steps=steps,
        seconds=flops / speed,
    )


def _checkpointing(model_config: PreTrainedConfig, train: TrainConfig, on_gpu: bool) -> bool:
    if train.activation_checkpointing != "auto":
        return train.activation_checkpointing == "on"
    return on_gpu and count_parameters(model_config) >= CHECKPOINTING_FROM


def _has_mask(train: TrainConfig, pads: bool) -> bool:
    """Return whether attention gets its mask as a matrix; flash attention and ours for packs do not."""
    if train.packing:
        return train.attention in ("sdpa", "eager")
    return pads and not train.attention.startswith("fl")


def _states(
    sizes: Network, train: TrainConfig, half: bool, devices: Devices, sharded: int, shards_weights: bool
) -> dict[str, float]:
    """Return the bytes of weights, gradients and AdamW's two moments on one device, and what sharding adds."""
    sharers = sharded if shards_weights else 1
    frozen, state = 2 if half else 4, 4  # trained weights are float32, also the adapters of a 4-bit model
    if train.method == "full":
        weights = float(state * sizes.num_parameters)
    elif train.method == "lora":
        weights = float(frozen * sizes.num_parameters + state * sizes.num_trained)
    else:
        rest = sizes.num_parameters - sizes.num_linear
        weights = FOUR_BIT * sizes.num_linear + frozen * rest + state * sizes.num_trained
    gradients = float(state * sizes.num_trained) / sharded
    other = 0.0
    if sharded == 1 and devices.number > 1:
        other += state * sizes.num_trained  # DDP's buckets, a second copy of the gradients
    if sharded > 1 and shards_weights:
        # Two gathered layers, one of them prefetched, and the embeddings with the head. The head's weights are in full
        # precision, which the chunked loss needs.
        around = sizes.num_parameters - sizes.num_layers_all
        other += frozen * (2 * sizes.num_largest_layer + around) + 4 * sizes.num_embedding
    if train.method == "qlora":
        other += frozen * sizes.num_largest_matrix  # the largest matrix is unpacked from 4 bits when it is used
    return {
        "weights": weights / sharers,
        "gradients": gradients,
        "optimizer": 2.0 * state * sizes.num_trained / sharded,
        "other": other,
    }


def _head_in_pieces(model_config: PreTrainedConfig, sizes: Network, shape: Shape) -> float:
    """Return the bytes of TRL's chunked loss: hidden states, their gradient, a tile of logits, the weight's gradient.

    It never holds all logits. Every token is counted as one with loss.
    """
    text = model_config.get_text_config()
    tokens, width = shape.rows * shape.length, 2 if shape.half else 4
    hidden = tokens * text.hidden_size * (width + 4)
    tile = min(tokens, HEAD_TOKENS) * min(HEAD_CHUNK, text.vocab_size) * width
    return float(hidden + tile + 4 * sizes.num_embedding * sizes.head_trained)


def _units(lengths: Sequence[int], train: TrainConfig, rows: int, number: int) -> tuple[int, list[tuple[int, float]]]:
    """Return the rows (or packs) of an epoch and the micro-batches that one device runs one after another.

    A micro-batch is (tokens with padding, tokens that each attends to). Of micro-batches that run on several devices at
    once, the longest counts.
    """
    together = rows * number
    if train.packing:
        packs = len(pack_rows(lengths, train.max_length))
        document = sum(length * length for length in lengths) / sum(lengths)
        return packs, [(rows * train.max_length, document)] * math.ceil(packs / together)
    order = list(StepSampler(lengths, train.batch_size, seed=0))
    shares = [order[start : start + together] for start in range(0, len(order), together)]
    longest = [max(lengths[i] for i in share) for share in shares]
    return len(lengths), [
        (math.ceil(len(share) / number) * most, most) for share, most in zip(shares, longest, strict=True)
    ]


def _flops(
    model_config: PreTrainedConfig, sizes: Network, step: Step, shape: Shape, tokens: int, attended: float
) -> float:
    """Return the operations of one micro-batch: matrix products, counted by `dry_step`; attention; loss head.

    The passes are forward, backward for activations, backward for trained weights, and forward again if activations are
    recomputed.
    """
    text = model_config.get_text_config()
    head_size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    width = head_size * text.num_attention_heads
    attention = 4 * tokens * attended * width * text.num_hidden_layers * (3 + shape.checkpointing)
    head = 2 * tokens * text.hidden_size * text.vocab_size * (2 + sizes.head_trained)
    return step.flops * tokens / (shape.rows * shape.length) + attention + head
