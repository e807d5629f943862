"""Attention of many rows to one prompt prefix that they share, without a copy of it for every row.

The keys and values of the prefix exist once. Each row's queries meet them in one matrix product for all rows together,
meet the row's own keys apart, and the two results are weighed by their sums of exponentials; this is the same softmax
over all keys ("cascade attention"). In a sliding-window layer a query sees only those last tokens of the prefix that
its window reaches. It is registered as an attention function of transformers, so it serves every architecture that
looks its attention up there and passes keys on as the cache gave them, with logit soft-capping (Gemma 2) and attention
sinks (gpt-oss) too. `trial` tests whether a model does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

IMPLEMENTATION = "selfinstruct_shared_prefix"
"""Its name among transformers' attention functions."""
PREFIX_ATTRIBUTE = "selfinstruct_prefix"
"""The cache sets it on a row's own keys to the `PrefixKeys` before them."""
MAX_SCORES = {"cpu": 1 << 19, "cuda": 1 << 26}
"""Scores against the prefix held at once; more queries take turns. A CPU's cache holds so many (twice as fast)."""


class QueryPositions:
    """The positions of the queries in their texts, set before each forward pass for all layers of a cache."""

    def __init__(self) -> None:
        self._now: Tensor | None = None
        self._latest = 0
        self._hidden: dict[tuple[int, int], Tensor] = {}

    def set(self, positions: Tensor) -> None:
        """Take the positions of the next queries, int64 (rows, queries)."""
        self._now, self._latest = positions, int(positions.max())
        self._hidden = {}

    def hidden(self, first: int, num_keys: int, window: int | None) -> Tensor | None:
        """Return which of `num_keys` keys from position `first` on lie outside each query's window.

        Returns:
            bool (rows, queries, keys), or None where no query's window ends among them.
        """
        import torch

        if window is None or self._latest < first + window:
            return None
        assert self._now is not None
        if (first, window) not in self._hidden:
            first_seen = self._now - (window - 1) - first  # index of the first key that a query sees, (rows, queries)
            keys = torch.arange(num_keys, device=self._now.device)
            self._hidden[first, window] = keys < first_seen[..., None]
        return self._hidden[first, window]


@dataclass(frozen=True)
class PrefixKeys:
    """What a layer keeps of a prefix: keys and values (key heads, tokens, head size), the last ones that can be seen.

    `first` is the position of the first of them, `window` the number of tokens that a query sees with itself.
    """

    keys: Tensor
    values: Tensor
    first: int
    window: int | None
    positions: QueryPositions

    @classmethod
    def of(cls, keys: Tensor, values: Tensor, window: int | None, positions: QueryPositions) -> PrefixKeys:
        """Take what later tokens can see of keys and values (1, key heads, tokens, head size)."""
        length = keys.shape[2]
        first = 0 if window is None else max(0, length - (window - 1))
        return cls(keys[0, :, first:], values[0, :, first:], first, window, positions)


def register() -> None:
    """Make the attention function known to transformers."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(IMPLEMENTATION, attention)
    AttentionMaskInterface.register(IMPLEMENTATION, AttentionMaskInterface()["sdpa"])


def attention(
    module: Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attend to the prefix of `key`, and to the row's own keys; without a prefix it is transformers' sdpa.

    Args:
        query: (rows, heads, queries, head size).
        key, value: (rows, key heads, own tokens, head size).
        attention_mask: bool (rows, 1, queries, own tokens), or None where all may be seen but what comes later.
        kwargs: `softcap` (scores are softcap x tanh(score / softcap)), `s_aux` (a score (heads,) that takes a share of
            the softmax and has no value) and `sliding_window` are followed.

    Returns:
        (rows, queries, heads, head size), and None as transformers' function does.
    """
    prefix: PrefixKeys | None = getattr(key, PREFIX_ATTRIBUTE, None)
    softcap, sinks, window = kwargs.get("softcap"), kwargs.get("s_aux"), kwargs.get("sliding_window")
    if prefix is None and softcap is None and sinks is None:
        result: tuple[Tensor, None] = _sdpa()(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
        return result
    if kwargs.get("position_bias") is not None:
        raise NotImplementedError("attention with position_bias")
    if prefix is not None and window is not None and window != prefix.window:
        raise NotImplementedError(f"a window of {window} where the cache has {prefix.window}")
    rows, heads, queries, size = query.shape
    key_heads = key.shape[1]
    grouped = query.reshape(rows, key_heads, -1, size)
    turn_into_scores = partial(_scores, scale=size**-0.5 if scaling is None else scaling, softcap=softcap)
    if window is not None and key.shape[2] > (seen := window - 1 + queries):
        key, value = key[:, :, -seen:], value[:, :, -seen:]
        attention_mask = attention_mask if attention_mask is None else attention_mask[..., -seen:]
    parts = [_own_part(turn_into_scores(grouped, key), value, attention_mask, queries)]
    if prefix is not None:
        parts.append(_prefix_part(grouped, prefix, turn_into_scores))
    if sinks is not None:
        parts.append(_sink_part(sinks, parts[0], queries))
    joined = _merged(parts)  # (rows, key heads, group x queries, value size)
    return joined.reshape(rows, heads, queries, -1).transpose(1, 2).to(value.dtype).contiguous(), None


Part = tuple["Tensor", "Tensor", "Tensor"]
"""Attention to some of the keys: weighted values, not divided by the sum; the highest score; the sum of exponentials.

All are float32 also in a 16-bit model: a score of 40 has an error of 0.1 in bfloat16. The last two are (rows, key
heads, group x queries, 1), the sum relative to the highest score.
"""


def _prefix_part(grouped: Tensor, prefix: PrefixKeys, turn_into_scores: Callable[[Tensor, Tensor], Tensor]) -> Part:
    """Attend to the prefix; `grouped` is (rows, key heads, group x queries, head size)."""
    import torch

    rows, key_heads, per_row, size = grouped.shape
    queries = grouped.transpose(0, 1).reshape(key_heads, rows * per_row, size)
    keys, values = prefix.keys, prefix.values
    hidden = prefix.positions.hidden(prefix.first, keys.shape[1], prefix.window)
    if hidden is not None:  # (rows, queries, tokens) -> (rows x group x queries, tokens)
        hidden = hidden[:, None].expand(-1, per_row // hidden.shape[1], -1, -1).reshape(rows * per_row, -1)
    turn = max(1, MAX_SCORES.get(keys.device.type, 1 << 26) // (key_heads * keys.shape[1]))
    parts = []
    for start in range(0, rows * per_row, turn):
        scores = turn_into_scores(queries[:, start : start + turn], keys)
        if hidden is not None:
            scores.masked_fill_(hidden[None, start : start + turn], torch.finfo(scores.dtype).min)
        parts.append(_weighed(scores, values))
    whole = parts[0] if len(parts) == 1 else [torch.cat(tensors, 1) for tensors in zip(*parts, strict=True)]
    weighed, highest, total = (t.reshape(key_heads, rows, per_row, -1).transpose(0, 1) for t in whole)
    return weighed, highest, total


def _own_part(scores: Tensor, value: Tensor, mask: Tensor | None, queries: int) -> Part:
    """Attend to each row's own values (rows, key heads, own tokens, size) by scores (rows, key heads, group x queries,
    own tokens).
    """
    import torch

    if mask is None and queries > 1:
        own = value.shape[2]
        mask = torch.ones(queries, own, dtype=torch.bool, device=value.device).tril(own - queries)[None, None]
    if mask is not None:
        apart = scores.view(*scores.shape[:2], -1, queries, scores.shape[3])
        apart.masked_fill_(~mask[:, :, None], torch.finfo(scores.dtype).min)
    return _weighed(scores, value)


def _sink_part(sinks: Tensor, own: Part, queries: int) -> Part:
    """Return the part of the scores `sinks` (heads,), which have no value; shaped as the part `own`."""
    import torch

    weighed, highest, total = own
    score = sinks.to(highest.dtype).reshape(1, highest.shape[1], -1, 1).repeat_interleave(queries, 2)
    return torch.zeros_like(weighed), score.expand_as(highest), torch.ones_like(total)


def _scores(queries: Tensor, keys: Tensor, scale: float, softcap: float | None) -> Tensor:
    """Return the scores (..., queries, keys) of queries (..., queries, head size) and keys (..., keys, head size)."""
    scores = _product(queries, keys.transpose(-1, -2)).mul_(scale)
    return scores if softcap is None else scores.div_(softcap).tanh_().mul_(softcap)


def _weighed(scores: Tensor, value: Tensor) -> Part:
    """Turn scores (..., queries, keys), which are overwritten, into the weighted sum of values (..., keys, size)."""
    highest = scores.amax(-1, keepdim=True)
    weights = scores.sub_(highest).exp_()
    total = weights.sum(-1, keepdim=True)
    return _product(weights.to(value.dtype), value), highest, total


def _product(one: Tensor, other: Tensor) -> Tensor:
    """Return the matrix product, in float32 for 16-bit factors."""
    import torch

    if one.dtype not in (torch.bfloat16, torch.float16):
        return one @ other
    if one.is_cuda and _has_wide_products():
        flat = torch.bmm(one.flatten(0, -3), other.flatten(0, -3), out_dtype=torch.float32)
        return flat.unflatten(0, one.shape[:-2])
    return one.float() @ other.float()


@cache
def _has_wide_products() -> bool:
    """Return whether this torch gives a float32 product of 16-bit factors on the GPU."""
    import torch

    one = torch.zeros(1, 8, 8, dtype=torch.bfloat16, device="cuda")
    try:
        return torch.bmm(one, one, out_dtype=torch.float32).dtype == torch.float32
    except (TypeError, RuntimeError):
        return False


def _merged(parts: list[Part]) -> Tensor:
    """Weigh the parts of one softmax and divide by the whole sum."""
    import torch

    highest = torch.stack([part[1] for part in parts]).amax(0)
    weights = [(part[1] - highest).exp() for part in parts]
    total = torch.stack([part[2] * weight for part, weight in zip(parts, weights, strict=True)]).sum(0)
    joined = torch.zeros_like(parts[0][0])
    for part, weight in zip(parts, weights, strict=True):
        joined += part[0] * (weight / total).to(joined.dtype)
    return joined


@cache
def _sdpa() -> Callable[..., tuple[Tensor, None]]:
    from transformers import AttentionInterface

    return AttentionInterface()["sdpa"]
