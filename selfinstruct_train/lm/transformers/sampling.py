"""From logits to the next token of every row: penalties, temperature, nucleus, the row's own noise, argmax.

The order is that of the OpenAI API: penalties change the logits, temperature divides them, top-p cuts, then one token
is drawn.

A token is drawn by the Gumbel-max trick: the largest sum of scaled logit and noise wins, and the noise of a token
depends on the row's seed, the step and the token only. Over a large vocabulary, noise for every token costs more than
the model. So the most probable tokens get their noise first. Their best sum is a bound, and of the others only those
whose uniform number is large enough to pass it (about one a row) get a Gumbel number.

The same prompt gives logits that differ in their last bits from one batch shape to another (matrix products add in
another order). Rounding cannot remove that: a rounding boundary is as easy to cross as a tie. So a choice that depends
on less than `margin` is reported as doubtful, and the caller decides it anew from logits computed in one canonical
shape. All other choices are the same in every batch as long as the numerical noise stays below half the margin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.records import Sampling
from .noise import gumbel, uniform_floors
from .penalties import TokenCounts, penalized

if TYPE_CHECKING:
    from torch import Tensor

_FIRST_CANDIDATES = 256
"""Tokens looked at first for a nucleus; widened until the nucleus lies inside."""
_BOUNDING_TOKENS = 64
"""Most probable tokens whose noise gives the bound for all others."""
_BLOCK = 64
"""Tokens in a block of `_highest`."""
_NUMBERS_AT_ONCE = {"cpu": 1 << 16, "cuda": 1 << 26}
"""Uniform numbers made at once: on a CPU they must stay in its cache."""


def choose_tokens(
    logits: Tensor, counts: TokenCounts | None, keys: Tensor, step: int | Tensor, sampling: Sampling, margin: float
) -> tuple[Tensor, Tensor]:
    """Return the next token of each row, int64 (batch,), and whether the choice is doubtful, bool (batch,).

    Args:
        logits: float32 (batch, vocabulary).
        counts: what each row has generated; None where no penalty is set.
        keys: int64 (batch,), from `noise.row_keys`.
        step: how many tokens the rows have generated so far, one number or int64 (batch,).
        margin: choices that a change of the logits by so much could turn are doubtful; 0 calls none doubtful.
    """
    if counts is not None:
        logits = penalized(logits, counts, sampling)
    if sampling.temperature == 0:
        return _winner(logits, None, margin)
    temperature, margin = sampling.temperature, margin / sampling.temperature
    if sampling.top_p == 1:
        return _draw_of_all(logits, temperature, keys, step, margin)
    values, tokens, maybe, sure = _nucleus(logits, temperature, sampling.top_p, margin)
    scores = (values + gumbel(keys, step, tokens)).masked_fill(~maybe, float("-inf"))
    indices, doubtful = _winner(scores, sure, margin)
    return tokens.gather(1, indices[:, None])[:, 0], doubtful


def _draw_of_all(
    logits: Tensor, temperature: float, keys: Tensor, step: int | Tensor, margin: float
) -> tuple[Tensor, Tensor]:
    """Draw from the whole softmax of `logits` (batch, vocabulary) by temperature; return what `choose_tokens` does."""
    import torch

    values, tokens = _highest(logits, min(_BOUNDING_TOKENS, logits.shape[1]))
    scores = values / temperature + gumbel(keys, step, tokens)  # float64 (batch, bounding tokens)
    if logits.shape[1] > tokens.shape[1]:
        bound = (scores.amax(1, keepdim=True) - margin).to(logits.dtype)
        rows, others = _tokens_above(logits, temperature, keys, step, bound)
        is_new = ~(tokens[rows] == others[:, None]).any(1)
        rows, others = rows[is_new], others[is_new]
        if len(rows):
            noise = gumbel(keys[rows], step[rows] if isinstance(step, torch.Tensor) else step, others[:, None])[:, 0]
            more = logits[rows, others] / temperature + noise
            scores, tokens = _appended(scores, tokens, rows, more, others)
    indices, doubtful = _winner(scores, None, margin)
    return tokens.gather(1, indices[:, None])[:, 0], doubtful


def _tokens_above(
    logits: Tensor, temperature: float, keys: Tensor, step: int | Tensor, bound: Tensor
) -> tuple[Tensor, Tensor]:
    """Find the tokens whose sum of scaled logit and noise may reach `bound` (batch, 1): their rows and ids, in order.

    The sum s - log(-log(u)) reaches the bound b if -log(u) <= exp(s - b), and 1 - u <= -log(u). So u >= 1 - exp(s - b)
    holds for all of them, and for few others. It is tested in float32 on 24 bits of u, rounded so that none is missed.
    """
    import torch

    batch, vocabulary = logits.shape
    device = logits.device
    width = max(1, _numbers_at_once(logits) // batch)
    found = []
    for start in range(0, vocabulary, width):
        part = logits[:, start : start + width]
        tokens = torch.arange(start, start + part.shape[1], device=device)[None]
        reach = (part / temperature).sub_(bound).clamp_(min=-40).exp_()  # numbers below float32's normal ones are slow
        near = uniform_floors(keys, step, tokens) >= reach.mul_(-1.001 * 2.0**24).add_(2.0**24 - 2)
        if start == 0 or bool(near.any()):
            found.append(near.nonzero() + torch.tensor([0, start], device=device))
    rows, ids = torch.cat(found).unbind(1)
    order = rows.argsort(stable=True)
    return rows[order], ids[order]


def _appended(scores: Tensor, tokens: Tensor, rows: Tensor, more: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Add further candidates to (batch, candidates) scores and tokens; `rows`, ascending, says to which row."""
    import torch

    counts = torch.bincount(rows, minlength=len(scores))
    places = torch.arange(len(rows), device=rows.device) - (counts.cumsum(0) - counts)[rows]
    shape = (len(scores), int(counts.max()))
    further = scores.new_full(shape, float("-inf"))
    further_tokens = tokens.new_zeros(shape)
    further[rows, places], further_tokens[rows, places] = more, ids
    return torch.cat((scores, further), 1), torch.cat((tokens, further_tokens), 1)


def _highest(values: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Return the `number` highest values of each row in falling order, and their indices.

    It is `topk`, which reads the row once more for each of its passes; here blocks are compared by their maximum first,
    and only the best blocks are looked into.
    """
    import torch

    batch, width = values.shape
    num_blocks = width // _BLOCK
    if number >= num_blocks:
        highest, places = values.topk(number)
        return highest, places
    whole = num_blocks * _BLOCK
    blocks = values[:, :whole].unflatten(1, (num_blocks, _BLOCK))
    best = blocks.amax(2).topk(number).indices  # (batch, number)
    inside = blocks.gather(1, best[:, :, None].expand(-1, -1, _BLOCK)).flatten(1)
    index = (best[:, :, None] * _BLOCK + torch.arange(_BLOCK, device=values.device)).flatten(1)
    if whole < width:
        inside = torch.cat((inside, values[:, whole:]), 1)
        rest = torch.arange(whole, width, device=values.device)
        index = torch.cat((index, rest.expand(batch, -1)), 1)
    highest, places = inside.topk(number)
    return highest, index.gather(1, places)


def _winner(scores: Tensor, sure: Tensor | None, margin: float) -> tuple[Tensor, Tensor]:
    """Return the index of each row's highest score and whether the choice is doubtful.

    Args:
        sure: the indices that are allowed whatever the noise; a winner outside them is doubtful. None: all.
    """
    import torch

    (best, second), (winner, _) = (part.unbind(1) for part in _highest(scores, min(2, scores.shape[1])))
    if torch.isnan(best).any():
        raise ValueError("the model's logits are not numbers (NaN); its weights are broken or its dtype overflows")
    doubtful = best - second < margin
    if sure is not None:
        doubtful |= ~sure.gather(1, winner[:, None])[:, 0] & (margin > 0)
    return winner, doubtful


def _numbers_at_once(logits: Tensor) -> int:
    return _NUMBERS_AT_ONCE["cpu" if logits.device.type == "cpu" else "cuda"]


def _log_total(logits: Tensor, temperature: float) -> Tensor:
    """Return the logarithm of the sum of exp(logits / temperature) of each row, (batch, 1)."""
    import torch

    size = max(1, 8 * _numbers_at_once(logits) // logits.shape[1])
    return torch.cat([(rows / temperature).logsumexp(1, keepdim=True) for rows in logits.split(size)])


def _nucleus(logits: Tensor, temperature: float, top_p: float, margin: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Find the smallest set of most probable tokens whose probability reaches `top_p`.

    Returns:
        values (scaled) and tokens of the most probable tokens in falling order, (batch, candidates), and two bool masks
        over them: those that may lie in the nucleus and those that surely do, if logits are known up to `margin`.
    """
    vocabulary = logits.shape[1]
    log_total = _log_total(logits, temperature)
    num_candidates = _FIRST_CANDIDATES
    while True:
        values, tokens = _highest(logits, min(num_candidates, vocabulary))
        values = values / temperature
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
