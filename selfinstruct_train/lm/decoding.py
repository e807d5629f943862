"""The decode loop of the transformers backend: a batch of token rows in, generated token ids out.

Rows are left-padded and run together; the prompt prefix that they share is run once and its keys and values are copied
to every row; finished rows leave the batch. `generate` is not used: it samples all rows from one global generator, so
that rows depend on their neighbours. Choices too close to call between batch shapes are decided by `_decide_alone`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..types import FinishReason, Sampling
from . import kv_cache
from .noise import row_keys
from .sampling import choose_tokens

if TYPE_CHECKING:
    from torch import Tensor

COMPACT_BELOW = 0.75
"""Finished rows are cut out of the cache when fewer than this share of the rows is unfinished."""


@dataclass
class Row:
    """One request on its way: its prompt, and what was generated so far."""

    prompt_ids: list[int]
    seed: int
    new_ids: list[int] = field(default_factory=list)
    finish_reason: FinishReason | None = None


class Decoder:
    """Runs batches of rows through one causal LM.

    `num_tokens` and `num_decided_alone` count the work done, for benchmarks and tests.
    """

    def __init__(self, model: Any, eos_ids: frozenset[int], device: str, margin: float) -> None:
        self.model = model
        self.eos_ids = eos_ids
        self.device = device
        self.margin = margin
        self.num_tokens = 0
        self.num_decided_alone = 0
        parameters = inspect.signature(model.forward).parameters
        self._takes_positions = "position_ids" in parameters
        self._takes_logits_to_keep = "logits_to_keep" in parameters

    def can_share_prefix(self) -> bool:
        """Tell whether padding may stand between a shared prefix and a row's own tokens without changing the result."""
        return self._takes_positions and kv_cache.is_plain(kv_cache.new_cache(self.model.config))

    def run_prefix(self, prefix_ids: list[int]) -> Any:
        """Return the one-row cache of a prompt prefix."""
        import torch

        cache = kv_cache.new_cache(self.model.config)
        with torch.inference_mode():
            self._forward(*self._padded([prefix_ids]), cache)
        return cache

    def run(
        self,
        rows: list[Row],
        sampling: Sampling,
        may_end: Tensor,
        is_stopped: Callable[[Row], bool],
        prefix: tuple[list[int], Any] | None,
    ) -> None:
        """Generate until every row has its finish reason; the rows are filled in place.

        Args:
            may_end: bool (vocabulary,): the tokens after which `is_stopped` must be asked.
            is_stopped: tells whether the row's text now holds a stop string.
            prefix: the first prompt tokens of every row and their cache, from `run_prefix`.
        """
        import torch

        with torch.inference_mode():
            batch = _Batch(self, rows, sampling, prefix)
            while batch.rows:
                tokens = batch.next_tokens()
                ask = may_end[tokens].tolist()
                for row, token, asked in zip(batch.rows, tokens.tolist(), ask, strict=True):
                    if row.finish_reason is not None:
                        continue
                    row.new_ids.append(token)
                    self.num_tokens += 1
                    if token in self.eos_ids or (asked and is_stopped(row)):
                        row.finish_reason = "stop"
                    elif len(row.new_ids) == sampling.max_new_tokens:
                        row.finish_reason = "length"
                tokens = batch.drop_finished(tokens)
                if batch.rows:
                    batch.advance(tokens)

    def _padded(self, rows: list[list[int]]) -> tuple[Tensor, Tensor, Tensor]:
        """Left-pad token rows; return ids, attention mask and positions, each int64 (batch, longest)."""
        import torch

        longest = max(map(len, rows))
        ids = torch.tensor([[0] * (longest - len(row)) + row for row in rows], device=self.device)
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=self.device)
        return ids, mask, (mask.cumsum(1) - 1).clamp(min=0)

    def _forward(self, ids: Tensor, mask: Tensor, positions: Tensor, cache: Any) -> Tensor:
        """Return the float32 logits after the last token of every row, (batch, vocabulary)."""
        arguments: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
        if self._takes_positions:
            arguments["position_ids"] = positions
        if self._takes_logits_to_keep:
            arguments["logits_to_keep"] = 1
        output = self.model(**arguments, past_key_values=cache, use_cache=cache is not None)
        logits: Tensor = output.logits[:, -1].float()
        return logits


class _Batch:
    """The rows in work, with their cache: everything that is cut when rows finish."""

    def __init__(
        self, decoder: Decoder, rows: list[Row], sampling: Sampling, prefix: tuple[list[int], Any] | None
    ) -> None:
        import torch

        self.decoder = decoder
        self.rows = rows
        self.sampling = sampling
        self.step = 0
        self.keys = row_keys([row.seed for row in rows], decoder.device)  # (batch,)
        prefix_ids, prefix_cache = prefix or ([], None)
        ids, mask, positions = decoder._padded([row.prompt_ids[len(prefix_ids) :] for row in rows])
        config = decoder.model.config
        if prefix_cache is None:
            self.cache = kv_cache.new_cache(config)
        else:
            self.cache = kv_cache.repeated(prefix_cache, config, len(rows))
        # (batch, prefix + padded prompt + new tokens): used up to the current length
        self.mask = torch.cat(
            (
                mask.new_ones(len(rows), len(prefix_ids)),
                mask,
                mask.new_ones(len(rows), sampling.max_new_tokens),
            ),
            dim=1,
        )
        self.length = len(prefix_ids) + ids.shape[1]
        self.positions = positions[:, -1:] + len(prefix_ids)  # (batch, 1)
        self.logits = decoder._forward(ids, self.mask[:, : self.length], positions + len(prefix_ids), self.cache)
        penalties = sampling.presence_penalty or sampling.frequency_penalty
        self.counts = torch.zeros_like(self.logits) if penalties else None

    def next_tokens(self) -> Tensor:
        """Choose the next token of every row, int64 (batch,)."""
        decoder = self.decoder
        tokens, doubtful = choose_tokens(self.logits, self.counts, self.keys, self.step, self.sampling, decoder.margin)
        if decoder.margin > 0:
            for place in doubtful.nonzero()[:, 0].tolist():
                if self.rows[place].finish_reason is None:
                    tokens[place] = self._decide_alone(place)
        return tokens

    def _decide_alone(self, place: int) -> int:
        """Choose a row's token from the row alone: one sequence, no padding, no cache, so that no neighbour matters."""
        decoder, row = self.decoder, self.rows[place]
        decoder.num_decided_alone += 1
        logits = decoder._forward(*decoder._padded([row.prompt_ids + row.new_ids]), None)
        counts = None if self.counts is None else self.counts[place : place + 1]
        keys = self.keys[place : place + 1]
        return int(choose_tokens(logits, counts, keys, self.step, self.sampling, 0.0)[0])

    def drop_finished(self, tokens: Tensor) -> Tensor:
        """Cut finished rows out once they are many; return what remains of `tokens`, int64 (batch,)."""
        import torch

        going = [place for place, row in enumerate(self.rows) if row.finish_reason is None]
        if going and len(going) >= COMPACT_BELOW * len(self.rows):
            return tokens
        self.rows = [self.rows[place] for place in going]
        if not going:
            return tokens[:0]
        places = torch.tensor(going, device=tokens.device)
        self.cache.batch_select_indices(places)
        self.keys, self.mask, self.positions = self.keys[places], self.mask[places], self.positions[places]
        self.counts = None if self.counts is None else self.counts[places]
        return tokens[places]

    def advance(self, tokens: Tensor) -> None:
        """Feed the chosen tokens, int64 (batch,), and compute the next logits."""
        if self.counts is not None:
            self.counts.scatter_add_(1, tokens[:, None], self.counts.new_ones(len(tokens), 1))
        self.step += 1
        self.length += 1
        self.positions = self.positions + 1
        mask = self.mask[:, : self.length]
        self.logits = self.decoder._forward(tokens[:, None], mask, self.positions, self.cache)
