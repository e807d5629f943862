"""From logits to the next token of every row: penalties, temperature, nucleus, the row's own noise, argmax.

The order is OpenAI's: penalties change the logits, temperature divides them, top-p cuts, then one token is drawn.

The same prompt gives logits that differ in their last bits from one batch shape to another (matrix products add in
another order). That cannot be rounded away: a rounding boundary is as easy to cross as a tie. So a choice that hangs on
less than `margin` is reported as doubtful, and the caller decides it anew from logits computed in one canonical shape.
All other choices are the same in every batch as long as the numerical noise stays below half the margin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.records import Sampling
from .noise import gumbel

if TYPE_CHECKING:
    from torch import Tensor

_FIRST_CANDIDATES = 256
"""Tokens looked at first for a nucleus; widened until the nucleus lies inside."""


def choose_tokens(
    logits: Tensor, counts: Tensor | None, keys: Tensor, step: int | Tensor, sampling: Sampling, margin: float
) -> tuple[Tensor, Tensor]:
    """Return the next token of each row, int64 (batch,), and whether the choice is doubtful, bool (batch,).

    Args:
        logits: float32 (batch, vocabulary).
        counts: how often each row has generated each token, (batch, vocabulary); None where no penalty is set.
        keys: int64 (batch,), from `noise.row_keys`.
        step: how many tokens the rows have generated so far, one number or int64 (batch,).
        margin: choices that a change of the logits by so much could turn are doubtful; 0 calls none doubtful.
    """
    if counts is not None:
        logits = penalized(logits, counts, sampling)
    if sampling.temperature == 0:
        return _winner(logits, None, margin)
    scaled = logits / sampling.temperature
    margin = margin / sampling.temperature
    if sampling.top_p == 1:
        import torch

        vocabulary = torch.arange(scaled.shape[1], device=scaled.device)[None]  # (1, vocabulary)
        return _winner(scaled + gumbel(keys, step, vocabulary), None, margin)
    values, tokens, maybe, sure = _nucleus(scaled, sampling.top_p, margin)
    scores = (values + gumbel(keys, step, tokens)).masked_fill(~maybe, float("-inf"))
    indices, doubtful = _winner(scores, sure, margin)
    return tokens.gather(1, indices[:, None])[:, 0], doubtful


def penalized(logits: Tensor, counts: Tensor, sampling: Sampling) -> Tensor:
    """Lower the logits of generated tokens: by frequency_penalty for each time, by presence_penalty once.

    The formula is that of the OpenAI API reference ("Frequency and presence penalties").
    """
    return logits - counts * sampling.frequency_penalty - (counts > 0) * sampling.presence_penalty


def _winner(scores: Tensor, sure: Tensor | None, margin: float) -> tuple[Tensor, Tensor]:
    """Return the index of each row's highest score and whether the choice is doubtful.

    Args:
        sure: the indices that are allowed whatever the noise; a winner outside them is doubtful. None: all.
    """
    import torch

    (best, second), (winner, _) = (part.unbind(1) for part in scores.topk(min(2, scores.shape[1])))
    if torch.isnan(best).any():
        raise ValueError("the model's logits are not numbers (NaN); its weights are broken or its dtype overflows")
    doubtful = best - second < margin
    if sure is not None:
        doubtful |= ~sure.gather(1, winner[:, None])[:, 0] & (margin > 0)
    return winner, doubtful


def _nucleus(scaled: Tensor, top_p: float, margin: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Find the smallest set of most probable tokens whose probability reaches `top_p`.

    Returns:
        values and tokens of the most probable tokens in falling order, (batch, candidates), and two bool masks over
        them: those that may lie in the nucleus and those that surely do, if logits are known up to `margin`.
    """
    vocabulary = scaled.shape[1]
    log_total = scaled.logsumexp(1, keepdim=True)  # (batch, 1)
    num_candidates = _FIRST_CANDIDATES
    while True:
        values, tokens = scaled.topk(min(num_candidates, vocabulary))
        probabilities = (values - log_total).exp()
        before = probabilities.cumsum(1) - probabilities
        kept = before < top_p
        lowest_kept = values.masked_fill(~kept, float("inf")).amin(1, keepdim=True)
        maybe = (before < top_p + margin) | (values > lowest_kept - margin)
        if num_candidates >= vocabulary or not bool(maybe[:, -1].any()):
            break
        num_candidates *= 4
    first_excluded = values.masked_fill(kept, float("-inf")).amax(1, keepdim=True)
    sure = before < top_p - margin
    sure[:, 0] = True
    return values, tokens, maybe, sure & (values > first_excluded + margin)
