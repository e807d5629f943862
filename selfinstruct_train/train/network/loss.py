"""The loss of a batch: a weighted mean over tokens, with logits computed only for tokens whose weight is not 0.

A completion token has weight 1, a prompt token train.prompt_loss_weight, a document's first token and padding 0. All
these logits are in memory at once; TRL's chunked loss needs less memory but has no weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..data.encode import IGNORED
from ..data.packing import Batch

if TYPE_CHECKING:
    from torch import Tensor, nn


def token_weights(batch: Batch, prompt_weight: float) -> Tensor:
    """Return the weights of the tokens 1, 2, ... of a batch, float32, (rows, seq - 1)."""
    import torch

    labels = batch["labels"]
    weights = torch.where(labels == IGNORED, prompt_weight, 1.0)
    if prompt_weight and "attention_mask" in batch:
        weights = weights * batch["attention_mask"]
    elif prompt_weight:
        weights = weights * (batch["position_ids"] > 0)
    return weights[:, 1:]


def weighted_loss(
    model: nn.Module, head: nn.Module, batch: Batch, prompt_weight: float, total: Tensor | float | None = None
) -> Tensor:
    """Return the sum of weighted token losses over `total`, a float32 scalar.

    Args:
        model: a causal LM, wrapped or not, which applies `head`, its output layer, to (rows, seq, hidden).
        total: the sum of the weights of the whole step; None: of this batch.
    """
    import torch

    weights = token_weights(batch, prompt_weight)
    counts = weights > 0
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    # the logits of a position predict the next token
    logits = _logits_at(model, head, inputs, torch.nn.functional.pad(counts, (0, 1)))
    targets = torch.where(batch["labels"] == IGNORED, batch["input_ids"], batch["labels"])[:, 1:][counts]
    losses = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="none")
    return (losses * weights[counts]).sum() / (weights.sum().clamp(min=1e-9) if total is None else total)


def _logits_at(model: nn.Module, head: nn.Module, inputs: Batch, mask: Tensor) -> Tensor:
    """Return the logits at the True entries of `mask`, (entries, vocabulary); the output layer gets only those."""

    def select(module: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        return (arguments[0][mask].unsqueeze(0), *arguments[1:])

    handle = head.register_forward_pre_hook(select)
    try:
        return model(**inputs, use_cache=False).logits[0]
    finally:
        handle.remove()
