"""Attention of many rows to one prompt prefix that they share, without a copy of it for every row.

The keys and values of the prefix exist once. Each row's queries meet them in one matrix product for all rows together,
meet the row's own keys apart, and the two results are weighed by their sums of exponentials; this is the same softmax
over all keys ("cascade attention"). It is registered as an attention function of transformers, so it serves every
architecture that looks its attention up there and passes keys on as the cache gave them. Whether a model does is tried,
not believed: `works_with` compares logits. Where it does not, the prefix is copied (`kv_cache.repeated`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from transformers import PreTrainedModel

IMPLEMENTATION = "selfinstruct_shared_prefix"
"""Its name among transformers' attention functions."""
PREFIX_ATTRIBUTE = "selfinstruct_prefix"
"""What the cache hangs on a row's own keys: (keys, values) of the prefix, each (1, key heads, prefix, head size)."""
MAX_SCORES = {"cpu": 1 << 19, "cuda": 1 << 26}
"""Scores against the prefix held at once; more queries take turns. A CPU's cache holds so many (twice as fast)."""
_TOLERANCE = {"float64": 1e-3, "float32": 1e-3, "bfloat16": 0.2, "float16": 0.05}
"""Largest difference of logits in a trial, in standard deviations of the logits; a wrong attention is off by more."""


def works_with(model: PreTrainedModel, forward: Callable[[list[int], list[list[int]], bool], Tensor]) -> bool:
    """Switch the model to this attention if its logits stay what they were; tell whether they did.

    Args:
        forward: runs (ids of a prefix, ids of rows) and returns the logits of the rows' last tokens; it takes a third
            argument, whether the prefix is shared or copied.
    """
    from transformers import AttentionInterface, AttentionMaskInterface

    if model.config._attn_implementation != "sdpa":
        return False
    AttentionInterface.register(IMPLEMENTATION, attention)
    AttentionMaskInterface.register(IMPLEMENTATION, AttentionMaskInterface()["sdpa"])
    prefix = [i % 7 + 2 for i in range(20)]
    rows = [[3, 5, 4], [6]]
    copied = forward(prefix, rows, False)
    try:
        model.set_attn_implementation(IMPLEMENTATION)
        shared = forward(prefix, rows, True)
        works = are_close(shared, copied, _TOLERANCE[str(model.dtype).removeprefix("torch.")])
    except Exception:  # a foreign architecture may fail in any way; copying always works
        works = False
    if not works:
        model.set_attn_implementation("sdpa")
    return works


def are_close(some: Tensor, others: Tensor, tolerance: float) -> bool:
    """Tell whether logits computed in two ways differ by at most so many of their standard deviations."""
    return bool((some - others).abs().max() <= tolerance * others.std())


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
    """Attend to the prefix that hangs on `key`, and to the row's own keys; without a prefix it is transformers' sdpa.

    Args:
        query: (rows, heads, queries, head size).
        key, value: (rows, key heads, own tokens, head size).
        attention_mask: bool (rows, 1, queries, own tokens), or None where all may be seen but what comes later.

    Returns:
        (rows, queries, heads, head size), and None as transformers' function does.
    """
    prefix = getattr(key, PREFIX_ATTRIBUTE, None)
    if prefix is None:
        result: tuple[Tensor, None] = _sdpa()(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
        return result
    for name in ("softcap", "s_aux", "position_bias", "sliding_window"):
        if kwargs.get(name) is not None:
            raise NotImplementedError(f"attention with {name}")
    rows, heads, queries, size = query.shape
    key_heads = key.shape[1]
    grouped = (query * (size**-0.5 if scaling is None else scaling)).reshape(rows, key_heads, -1, size)
    own = _own_part(grouped, key, value, attention_mask, queries)
    shared = _prefix_part(grouped, *prefix)
    joined = _merged(shared, own)  # (rows, key heads, group x queries, value size)
    return joined.reshape(rows, heads, queries, -1).transpose(1, 2).contiguous(), None


Part = tuple["Tensor", "Tensor", "Tensor"]
"""Attention to some of the keys: weighted values, not divided by the sum; the highest score; the sum of exponentials.

The last two are float32 (rows, key heads, group x queries, 1), the sum relative to the highest score.
"""


def _prefix_part(grouped: Tensor, key: Tensor, value: Tensor) -> Part:
    """Attend to keys and values (1, key heads, prefix, size); `grouped` is (rows, key heads, group x queries, size)."""
    import torch

    rows, key_heads, per_row, size = grouped.shape
    queries = grouped.transpose(0, 1).reshape(key_heads, rows * per_row, size)
    keys, values = key[0].transpose(1, 2), value[0]
    turn = max(1, MAX_SCORES.get(key.device.type, 1 << 26) // (key_heads * key.shape[2]))
    parts = [_weighed(some @ keys, values) for some in queries.split(turn, dim=1)]
    whole = parts[0] if len(parts) == 1 else [torch.cat(tensors, 1) for tensors in zip(*parts, strict=True)]
    weighed, highest, total = (t.reshape(key_heads, rows, per_row, -1).transpose(0, 1) for t in whole)
    return weighed, highest, total


def _own_part(grouped: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, queries: int) -> Part:
    """Attend to each row's own keys, (rows, key heads, own tokens, head size)."""
    import torch

    scores = grouped @ key.transpose(2, 3)  # (rows, key heads, group x queries, own tokens)
    if mask is None and queries > 1:
        own = key.shape[2]
        mask = torch.ones(queries, own, dtype=torch.bool, device=key.device).tril(own - queries)[None, None]
    if mask is not None:
        apart = scores.view(*scores.shape[:2], -1, queries, scores.shape[3])
        apart.masked_fill_(~mask[:, :, None], torch.finfo(scores.dtype).min)
    return _weighed(scores, value)


def _weighed(scores: Tensor, value: Tensor) -> Part:
    """Turn scores (..., queries, keys), which are overwritten, into the weighted sum of values (..., keys, size)."""
    import torch

    scores = scores.float() if scores.dtype in (torch.bfloat16, torch.float16) else scores
    highest = scores.amax(-1, keepdim=True)
    weights = scores.sub_(highest).exp_()
    total = weights.sum(-1, keepdim=True)
    return weights.to(value.dtype) @ value, highest, total


def _merged(one: Part, other: Part) -> Tensor:
    """Weigh two parts of one softmax and divide by the whole sum."""
    import torch

    highest = torch.maximum(one[1], other[1])
    one_weight, other_weight = (one[1] - highest).exp(), (other[1] - highest).exp()
    total = one[2] * one_weight + other[2] * other_weight
    return one[0] * (one_weight / total).to(one[0].dtype) + other[0] * (other_weight / total).to(one[0].dtype)


@cache
def _sdpa() -> Callable[..., tuple[Tensor, None]]:
    from transformers import AttentionInterface

    return AttentionInterface()["sdpa"]
