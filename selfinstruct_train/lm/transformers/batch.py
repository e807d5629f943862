"""The rows of a batch in work: their cache, what is cut when rows finish, and what is joined when rows enter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from ...core.records import FinishReason, Sampling
from . import kv_cache
from .network import Network
from .noise import row_keys
from .penalties import TokenCounts
from .sampling import choose_tokens

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import DynamicCache

COMPACT_BELOW = 0.75
"""Finished rows are cut out of the cache, and waiting rows let in, when fewer than this share is unfinished."""


PROMPT_TOKENS = {"cpu": 1024, "cuda": 16384}
"""Prompt tokens run at once: what keeps the device busy; more only needs more memory (on a CPU, leaves its cache)."""


@dataclass
class TokenSequence:
    """One request on its way: its prompt, and what was generated so far."""

    prompt_ids: list[int]
    seed: int
    new_ids: list[int] = field(default_factory=list)
    finish_reason: FinishReason | None = None


@dataclass(frozen=True)
class Prefix:
    """The first prompt tokens of some rows, and their one-row cache."""

    ids: list[int]
    cache: DynamicCache


class Batch:
    """Rows in work, with one entry a row in every field."""

    def __init__(self, network: Network, rows: list[TokenSequence], sampling: Sampling, prefix: Prefix | None) -> None:
        import torch

        self.network = network
        self.rows = rows
        self.sampling = sampling
        self.keys = row_keys([row.seed for row in rows], network.device)  # (batch,)
        self.steps = torch.zeros(len(rows), dtype=torch.int64, device=network.device)  # tokens generated, (batch,)
        before = len(prefix.ids) if prefix is not None else 0
        end = before + 1 if prefix is not None and network.prefix_use == "stepped" else None
        ids, self.mask, positions = network.padded([row.prompt_ids[before:end] for row in rows])
        if prefix is None:
            self.cache = kv_cache.new_cache(network.config)
        elif network.prefix_use == "once":
            self.cache = kv_cache.behind_prefix(prefix.cache, network.config, len(rows))
        else:
            self.cache = kv_cache.repeated(prefix.cache, len(rows))
            self.mask = torch.cat((self.mask.new_ones(len(rows), before), self.mask), 1)
        # the mask, int64 (batch, tokens in the cache), knows nothing of a prefix that is kept once: all may see it
        self.positions = positions[:, -1:] + before  # (batch, 1)
        self.logits = network.forward(ids, self.mask, positions + before, self.cache)
        penalties = sampling.presence_penalty or sampling.frequency_penalty
        self.counts = TokenCounts.empty(len(rows), network.device) if penalties else None

    def next_tokens(self) -> Tensor:
        """Choose the next token of every row, int64 (batch,)."""
        network = self.network
        tokens, doubtful = choose_tokens(self.logits, self.counts, self.keys, self.steps, self.sampling, network.margin)
        if network.margin > 0:
            for index in doubtful.nonzero()[:, 0].tolist():
                if self.rows[index].finish_reason is None:
                    tokens[index] = self.decide_alone(index)
        return tokens

    def decide_alone(self, index: int) -> int:
        """Choose a row's token from the row alone: one sequence, no padding, no cache, so that no neighbour matters."""
        network, row = self.network, self.rows[index]
        network.num_decided_alone += 1
        logits = network.forward(*network.padded([row.prompt_ids + row.new_ids]), None)
        one = slice(index, index + 1)
        counts = None if self.counts is None else self.counts.rows(one)
        return int(choose_tokens(logits, counts, self.keys[one], self.steps[one], self.sampling, 0.0)[0])

    def drop_finished(self, tokens: Tensor) -> Tensor:
        """Cut finished rows out once they are many; return what remains of `tokens`, int64 (batch,)."""
        import torch

        going = [index for index, row in enumerate(self.rows) if row.finish_reason is None]
        if going and len(going) >= COMPACT_BELOW * len(self.rows):
            return tokens
        self.rows = [self.rows[index] for index in going]
        if not going:
            return tokens[:0]
        indices = torch.tensor(going, device=tokens.device)
        kv_cache.select_rows(self.cache, indices)
        self.keys, self.steps = self.keys[indices], self.steps[indices]
        self.mask, self.positions = self.mask[indices], self.positions[indices]
        self.counts = None if self.counts is None else self.counts.rows(indices)
        return tokens[indices]

    def advance(self, tokens: Tensor) -> None:
        """Feed the chosen tokens, int64 (batch,), and compute the next logits."""
        import torch

        if self.counts is not None:
            self.counts = self.counts.with_tokens(tokens)
        self.steps = self.steps + 1
        # a finished row stays where it is: there may be no next position
        is_open = torch.tensor([[row.finish_reason is None] for row in self.rows], device=tokens.device)
        self.feed(tokens, self.positions + is_open)

    def feed(self, tokens: Tensor, positions: Tensor) -> None:
        """Run a token of each row, int64 (batch,), at `positions` (batch, 1), and compute the next logits."""
        import torch

        self.positions = positions
        self.mask = torch.cat((self.mask, self.mask.new_ones(len(tokens), 1)), 1)
        self.logits = self.network.forward(tokens[:, None], self.mask, self.positions, self.cache)


def started(network: Network, rows: list[TokenSequence], sampling: Sampling, prefix: Prefix | None) -> list[Batch]:
    """Run the prompts of rows, longest first, `PROMPT_TOKENS` at once where such batches can be joined.

    Padding between a prefix and a row's own tokens would change recurrent states, and positions in the columns of a
    copied prefix. There only rows of equal length run together.
    """
    if network.prefix_use == "never":
        return [Batch(network, rows, sampling, prefix)]
    before = len(prefix.ids) if prefix is not None else 0
    at_once = PROMPT_TOKENS["cpu" if network.device == "cpu" else "cuda"]
    if prefix is not None and network.prefix_use == "stepped":
        return [_stepped(network, rows, sampling, prefix)]
    groups = [rows]
    if prefix is not None and (network.prefix_use == "copied" or kv_cache.has_states(prefix.cache)):
        groups = [list(group) for _, group in groupby(rows, key=lambda row: len(row.prompt_ids))]
    batches = []
    for group in groups:
        size = max(1, at_once // (len(group[0].prompt_ids) - before))
        batches += [Batch(network, group[i : i + size], sampling, prefix) for i in range(0, len(group), size)]
    return batches


def _stepped(network: Network, rows: list[TokenSequence], sampling: Sampling, prefix: Prefix) -> Batch:
    """Run what follows the prefix token by token; shorter rows enter later, so that all end together."""
    import torch

    before, batch = len(prefix.ids), None
    for remaining in range(len(rows[0].prompt_ids) - before, 0, -1):
        if batch is not None:
            tokens = torch.tensor([row.prompt_ids[-remaining] for row in batch.rows], device=network.device)
            batch.feed(tokens, batch.positions + 1)
        entering = [row for row in rows if len(row.prompt_ids) - before == remaining]
        if entering:
            new = Batch(network, entering, sampling, prefix)
            batch = new if batch is None else joined([batch, new])
    assert batch is not None
    return batch


def joined(batches: Sequence[Batch]) -> Batch:
    """Put the rows of several batches into the first; columns that no row uses any more go."""
    import torch

    first = batches[0]
    if len(batches) == 1:
        return first
    masks = [batch.mask[:, int(batch.mask.any(0).nonzero()[0, 0]) :] for batch in batches]
    width = max(mask.shape[1] for mask in masks)
    caches = [batch.cache for batch in batches]
    first.cache = kv_cache.joined(caches, width)
    first.mask = torch.cat([torch.nn.functional.pad(mask, (width - mask.shape[1], 0)) for mask in masks])
    first.rows = [row for batch in batches for row in batch.rows]
    for name in ("keys", "steps", "positions", "logits"):
        setattr(first, name, torch.cat([getattr(batch, name) for batch in batches]))
    counts = [batch.counts for batch in batches if batch.counts is not None]
    first.counts = TokenCounts.joined(counts) if counts else None
    return first
