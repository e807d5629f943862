"""How much memory and time a training will take, before it is begun.

Weights, gradients and optimizer are counted in bytes a parameter, activations by a step without content (`dry_step`),
time by its operations at a share of the device's peak. Evaluation of held-out rows, checkpoints on disk and traffic
between devices are not in the time. docs/models.md tells how far predictions and measurements lie apart.
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
"""Share of a GPU's dense peak that a training reaches; an assumption: this project has not measured it on a GPU."""
CPU_UTILISATION = 0.5
"""Share of a large matrix product's speed on the same CPU; five small trainings had 0.3 to 0.8 (docs/models.md)."""
GPU_RUNTIME = int(1.5 * 2**30)
"""Bytes a process takes on a GPU before it has a tensor: CUDA context, cuBLAS and NCCL buffers; an assumption."""
CPU_RUNTIME = 900 * 2**20
"""Bytes of a Python process that has loaded torch, transformers, trl and datasets; measured."""
FRAGMENTATION = 0.1
"""Of activations and logits: what the allocator cannot use again; an assumption."""
HEAD_TOKENS, HEAD_CHUNK = 4096, 32_768
"""TRL's chunked loss head on a GPU scores so many tokens and words of the vocabulary at a time (trl 1.16)."""
FOUR_BIT = 4.127 / 8
"""Bytes of a weight in 4 bits with doubly quantised constants (QLoRA, arXiv 2305.14314, section 3: 0.127 bits)."""


@dataclass(frozen=True)
class Estimate:
    """Bytes on one device, by part (weights, gradients, optimizer, activations, logits, other), and seconds in all."""

    memory: dict[str, int]
    steps: int
    seconds: float

    @property
    def memory_bytes(self) -> int:
        """All parts together."""
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
        sharded: devices that share gradients and optimizer states among them (FSDP, ZeRO); 1: each has all.
        shards_weights: they share the weights too (FSDP, ZeRO-3; not ZeRO-2).

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
    # The loss head lives at the end of the forward pass; what the backward pass needs beyond may use its place.
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
    """Tell whether attention gets its mask as a matrix; flash attention and our own for packs need none."""
    if train.packing:
        return train.attention in ("sdpa", "eager")
    return pads and not train.attention.startswith("fl")


def _states(
    sizes: Network, train: TrainConfig, half: bool, devices: Devices, sharded: int, shards_weights: bool
) -> dict[str, float]:
    """Bytes of weights, gradients and AdamW's two moments on one device, and of what sharding adds."""
    sharers = sharded if shards_weights else 1
    frozen, state = 2 if half else 4, 4  # what is trained is float32, adapters of a 4-bit model too
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
        # Two layers gathered, one of them ahead of its use, and the embeddings with the head; the head's weights in
        # full precision, as the chunked loss asks for them.
        around = sizes.num_parameters - sizes.num_layers_all
        other += frozen * (2 * sizes.num_largest_layer + around) + 4 * sizes.num_embedding
    if train.method == "qlora":
        other += frozen * sizes.num_largest_matrix  # unpacked from 4 bits when it is used
    return {
        "weights": weights / sharers,
        "gradients": gradients,
        "optimizer": 2.0 * state * sizes.num_trained / sharded,
        "other": other,
    }


def _head_in_pieces(model_config: PreTrainedConfig, sizes: Network, shape: Shape) -> float:
    """Bytes of TRL's chunked loss head: hidden states and their gradient, one tile of logits, the weight's gradient.

    It never holds all logits; every token is taken as one with loss.
    """
    text = model_config.get_text_config()
    tokens, width = shape.rows * shape.length, 2 if shape.half else 4
    hidden = tokens * text.hidden_size * (width + 4)
    tile = min(tokens, HEAD_TOKENS) * min(HEAD_CHUNK, text.vocab_size) * width
    return float(hidden + tile + 4 * sizes.num_embedding * sizes.head_trained)


def _units(lengths: Sequence[int], train: TrainConfig, rows: int, number: int) -> tuple[int, list[tuple[int, float]]]:
    """Return the rows (or packs) of an epoch and the micro-batches that follow one another on one device.

    A micro-batch is its tokens, padding included, and how many of them a token attends to; of those that run side by
    side the longest counts.
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
    """Operations of one micro-batch: matrices, counted by the step without content; attention; loss head.

    Passes: forward 1, backward 1 for activations and 1 for weights that are trained, and forward again where
    activations are recomputed.
    """
    text = model_config.get_text_config()
    head_size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    width = head_size * text.num_attention_heads
    attention = 4 * tokens * attended * width * text.num_hidden_layers * (3 + shape.checkpointing)
    head = 2 * tokens * text.hidden_size * text.vocab_size * (2 + sizes.head_trained)
    return step.flops * tokens / (shape.rows * shape.length) + attention + head
