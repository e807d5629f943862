"""Test what an architecture can do, without a list of names: rows in a batch, and shared prompt prefixes.

Every trial compares logits with those of each whole text, run alone. The texts are about twenty tokens long, so sliding
windows are made smaller for the time of the trial; otherwise no text would reach beyond them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...core.records import Sampling
from . import kv_cache, shared_prefix
from .batch import Batch, Prefix, TokenSequence, joined, started
from .memory import is_out_of_memory
from .network import Network, PrefixUse

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import PreTrainedModel

logger = logging.getLogger(__name__)

_WINDOW = 6
"""Tokens that a sliding-window layer sees during a trial."""
_PREFIX = [i % 7 + 2 for i in range(20)]
_LONG = [[3, 5, 4, 6, 2, 7, 3, 2, 5, 4], [2, 6, 5, 3, 7, 4, 2, 3, 6, 5], [7, 4, 6, 2, 3, 5, 4, 7, 2, 6]]
_SHORT = [[6, 3], [3, 7], [5, 2]]
_NEXT_TOKEN = 8
_TOLERANCE = {"float64": 1e-3, "float32": 1e-3, "bfloat16": 0.2, "float16": 0.05}
"""Largest difference of logits in a trial, in standard deviations of the logits; a wrong attention is off by more.

In 16 bits a model may be off by several at one text, whose tokens mean nothing, however it is run (SmolLM2 135M: 3.5
from its float32 logits). So there are three texts of each kind (long or short, after the prompt or one token later),
and in 16 bits two of the three must be within the tolerance.
"""


def check_batches(network: Network) -> None:
    """Check that padded rows, run with a cache, get the logits of each whole text alone.

    Raises:
        ValueError: they do not.
    """
    import torch

    rows = [*_LONG, *_SHORT]
    with torch.inference_mode(), small_windows(network.model):
        whole = _expected(network, rows)
        together = _in_batches(network, rows, None)
    # `choose_tokens` reports NaN
    if not torch.isnan(whole).any() and not _are_close(together, whole, network.model.dtype):
        raise ValueError(
            f"{type(network.model).__name__} in a batch, token by token, gives other logits than for a text alone; "
            "use another model, or serve this one and set model.backend to http"
        )


def find_prefix_use(network: Network) -> PrefixUse:
    """Try what the model can do with a prefix that rows share, the fastest first; set its attention to what works."""
    import torch

    model, config = network.model, network.config
    if not kv_cache.rows_can_join(kv_cache.new_cache(config)):
        return "never"
    original = config._attn_implementation
    uses: list[PrefixUse] = ["copied", "stepped"]
    if original in ("sdpa", "eager") and kv_cache.can_hold_prefix_once(config):
        shared_prefix.register()
        uses.insert(0, "once")
    rows = [*_LONG, *_SHORT]
    with torch.inference_mode(), small_windows(model):
        expected = _expected(network, [_PREFIX + row for row in rows])
    for use in uses:
        network.prefix_use = use
        try:
            if use == "once":
                model.set_attn_implementation(shared_prefix.IMPLEMENTATION)
            with torch.inference_mode(), small_windows(model):
                logits = _in_batches(network, rows, _PREFIX)
            if _are_close(logits, expected, model.dtype):
                return use
        except Exception as error:  # a foreign architecture may fail in any way; running whole prompts always works
            if is_out_of_memory(error):
                model.set_attn_implementation(original)
                raise
            logger.debug("%s: a prefix cannot be %s: %r", type(model).__name__, use, error)
        model.set_attn_implementation(original)
    logger.info("%s runs a prompt prefix again for each row: no way to share it gives its logits", type(model).__name__)
    return "never"


@contextmanager
def small_windows(model: PreTrainedModel) -> Iterator[None]:
    """Make the sliding windows of a model smaller for a while, in its configs and in its modules."""
    modules: list[Any] = list(model.modules())
    owners = {id(owner): owner for module in modules for owner in (module, getattr(module, "config", None))}
    changed: list[tuple[Any, int]] = []
    for owner in owners.values():
        window = vars(owner).get("sliding_window") if owner is not None else None
        if isinstance(window, int) and not isinstance(window, bool) and window > _WINDOW:
            changed.append((owner, window))
    try:
        for owner, _ in changed:
            owner.sliding_window = _WINDOW
        yield
    finally:
        for owner, window in changed:
            owner.sliding_window = window


def _expected(network: Network, texts: Sequence[list[int]]) -> Tensor:
    """Return the logits after each text and after one token more, each run whole and alone, (2, texts, vocabulary)."""
    import torch

    longer = [[*text, _NEXT_TOKEN] for text in texts]
    logits = [network.forward(*network.padded([text]), None) for text in [*texts, *longer]]
    return torch.cat(logits).unflatten(0, (2, len(texts)))


def _in_batches(network: Network, rows: Sequence[list[int]], prefix_ids: list[int] | None) -> Tensor:
    """Return the logits after rows that share a prefix, and after one token more, (2, rows, vocabulary)."""
    import torch

    before = prefix_ids or []
    sequences = [TokenSequence(before + row, 0) for row in rows]
    if prefix_ids is None:
        batch = Batch(network, sequences, Sampling(2), None)
    else:
        prefix = Prefix(prefix_ids, kv_cache.new_cache(network.config))
        network.forward(*network.padded([prefix_ids]), prefix.cache)
        batch = joined(started(network, sequences, Sampling(2), prefix))
    first = batch.logits
    network.forward(*network.padded([[2, 3]]), None)  # as `decide_alone` does; a model may keep its state itself
    batch.advance(torch.full((len(rows),), _NEXT_TOKEN, device=network.device))
    return torch.stack((first, batch.logits))


def _are_close(some: Tensor, others: Tensor, dtype: torch.dtype) -> bool:
    """Return whether logits (2, texts, vocabulary), computed in two ways, are as near as the dtype lets one expect."""
    apart = (some - others).abs().amax(2) / others.std()
    apart = apart.unflatten(1, (-1, len(_SHORT)))  # (2, kinds, texts of a kind)
    worst = apart.median(2).values.max() if dtype.itemsize == 2 else apart.max()
    return bool(worst <= _TOLERANCE[str(dtype).removeprefix("torch.")])
