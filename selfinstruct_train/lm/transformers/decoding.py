"""The decode loop of the transformers backend: token rows in, generated token ids out.

Rows are left-padded and run together; the prompt prefix that they share is run once and, where the architecture allows,
exists once (`shared_prefix`); finished rows leave the batch and waiting rows take their places. `generate` is not used:
it samples all rows from one global generator, so that rows depend on their neighbours. Choices too close to call
between batch shapes are decided by `_decide_alone`.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...core.records import FinishReason, Sampling
from . import kv_cache, shared_prefix
from .noise import row_keys
from .sampling import choose_tokens

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import DynamicCache, PreTrainedModel

COMPACT_BELOW = 0.75
"""Finished rows are cut out of the cache, and waiting rows let in, when fewer than this share is unfinished."""

PROMPT_TOKENS = {"cpu": 1024, "cuda": 16384}
"""Prompt tokens run at once: what keeps the device busy; more only needs more memory (on a CPU, leaves its cache)."""

_TRIAL_TOKEN = 8


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


class Decoder:
    """Runs rows through one causal LM.

    `num_tokens` and `num_decided_alone` count the work done, for benchmarks and tests.
    """

    def __init__(self, model: PreTrainedModel, eos_ids: frozenset[int], device: str, margin: float) -> None:
        self.model = model
        self.eos_ids = eos_ids
        self.device = device
        self.margin = margin
        self.prompt_tokens_at_once = PROMPT_TOKENS["cpu" if device == "cpu" else "cuda"]
        self.num_tokens = 0
        self.num_decided_alone = 0
        parameters = inspect.signature(model.forward).parameters
        self._cache_name = kv_cache.argument_name(model)
        self._takes_positions = "position_ids" in parameters
        self._takes_logits_to_keep = "logits_to_keep" in parameters
        # GPT-Neo counts the columns of its local windows, whatever stands in them
        has_windows = "local" in getattr(model.config, "attention_layers", ())
        self._has_plain_cache = not has_windows and kv_cache.is_plain(kv_cache.new_cache(model.config))
        self._is_checked = False
        self._keeps_prefix_once: bool | None = None
        self._last_prefix: Prefix | None = None

    def can_share_prefix(self) -> bool:
        """Tell whether padding may stand anywhere before a row's own tokens without changing the result."""
        return self._takes_positions and self._has_plain_cache

    def check_architecture(self) -> None:
        """Try once whether padded rows, run with a cache, get the logits of each whole text alone.

        Raises:
            ValueError: they do not; some architectures ignore the cache or see the padding or another call.
        """
        import torch

        if self._is_checked:
            return
        rows = [[3, 5, 4, 6, 2, 7], [6, 3]]
        with torch.inference_mode():
            whole = torch.cat([self._forward(*self._padded([[*row, _TRIAL_TOKEN]]), None) for row in rows])
        together = self._trial(None, rows)[len(rows) :]
        tolerance = 1e-3 if self.margin > 0 else 1.0  # in 16 bits an expert may change with the rounding
        # NaN is for `choose_tokens` to tell
        if not torch.isnan(whole).any() and not shared_prefix.are_close(together, whole, tolerance):
            raise ValueError(
                f"{type(self.model).__name__} in a batch, token by token, gives other logits than for a text alone; "
                "use another model, or serve this one and set model.backend to http"
            )
        self._is_checked = True

    def keeps_prefix_once(self) -> bool:
        """Tell whether a shared prefix exists once for all rows; else it is copied to each. Tried at the first call."""
        if self._keeps_prefix_once is None:
            self._keeps_prefix_once = self.can_share_prefix() and shared_prefix.works_with(self.model, self._trial)
        return self._keeps_prefix_once

    def run_prefix(self, prefix_ids: list[int]) -> Prefix:
        """Return the one-row cache of a prompt prefix; the last one is kept."""
        import torch

        if self._last_prefix is None or self._last_prefix.ids != prefix_ids:
            self._last_prefix = None  # two long ones may not fit in memory
            cache = kv_cache.new_cache(self.model.config)
            with torch.inference_mode():
                self._forward(*self._padded([prefix_ids]), cache)
            self._last_prefix = Prefix(prefix_ids, cache)
        return self._last_prefix

    def run(
        self,
        rows: Sequence[TokenSequence],
        num_slots: int,
        sampling: Sampling,
        may_end: Tensor,
        is_stopped: Callable[[TokenSequence], bool],
        prefix: Prefix | None,
        on_finished: Callable[[list[TokenSequence]], None],
    ) -> None:
        """Generate until every row has its finish reason; the rows are filled in place.

        Args:
            num_slots: rows run at once; the others wait for a free place.
            may_end: bool (vocabulary,): the tokens after which `is_stopped` must be asked.
            is_stopped: tells whether the row's text now holds a stop string.
            prefix: the first prompt tokens of every row, from `run_prefix`.
            on_finished: given the rows that a step has finished.
        """
        import torch

        waiting = deque(rows)
        batch: _Batch | None = None
        with torch.inference_mode():
            while waiting or batch is not None:
                room = num_slots - (len(batch.rows) if batch is not None else 0)
                if waiting and (batch is None or (self.can_share_prefix() and room > (1 - COMPACT_BELOW) * num_slots)):
                    taken = [waiting.popleft() for _ in range(min(room, len(waiting)))]
                    batch = _joined([*([batch] if batch else []), *self._started(taken, sampling, prefix)])
                assert batch is not None
                tokens = batch.next_tokens()
                finished = self._append(batch.rows, tokens, sampling, may_end, is_stopped)
                if finished:
                    on_finished(finished)
                tokens = batch.drop_finished(tokens)
                if batch.rows:
                    batch.advance(tokens)
                else:
                    batch = None

    def _started(self, rows: list[TokenSequence], sampling: Sampling, prefix: Prefix | None) -> list[_Batch]:
        """Run the prompts of rows, longest first, `prompt_tokens_at_once` where such batches can be joined."""
        if not self.can_share_prefix():
            return [_Batch(self, rows, sampling, prefix)]
        longest = len(rows[0].prompt_ids) - (len(prefix.ids) if prefix is not None else 0)
        size = max(1, self.prompt_tokens_at_once // longest)
        return [_Batch(self, rows[i : i + size], sampling, prefix) for i in range(0, len(rows), size)]

    def _append(
        self,
        rows: list[TokenSequence],
        tokens: Tensor,
        sampling: Sampling,
        may_end: Tensor,
        is_stopped: Callable[[TokenSequence], bool],
    ) -> list[TokenSequence]:
        """Give each row its token, int64 (batch,); return the rows that are finished now."""
        ask = may_end[tokens].tolist()
        finished = []
        for row, token, asked in zip(rows, tokens.tolist(), ask, strict=True):
            if row.finish_reason is not None:
                continue
            row.new_ids.append(token)
            self.num_tokens += 1
            if token in self.eos_ids or (asked and is_stopped(row)):
                row.finish_reason = "stop"
            elif len(row.new_ids) == sampling.max_new_tokens:
                row.finish_reason = "length"
            if row.finish_reason is not None:
                finished.append(row)
        return finished

    def _trial(self, prefix_ids: list[int] | None, rows: list[list[int]], once: bool = False) -> Tensor:
        """Return the logits after rows that share a prefix, and after one token more, (2 x rows, vocabulary)."""
        import torch

        prefix, before = None, prefix_ids or []
        with torch.inference_mode():
            if prefix_ids:
                self._keeps_prefix_once = once
                prefix = Prefix(prefix_ids, kv_cache.new_cache(self.model.config))
                self._forward(*self._padded([prefix_ids]), prefix.cache)
            batch = _Batch(self, [TokenSequence(before + row, 0) for row in rows], Sampling(2), prefix)
            first = batch.logits
            self._forward(*self._padded([[2, 3]]), None)  # as `_decide_alone` does; a model may keep its state itself
            batch.advance(torch.full((len(rows),), _TRIAL_TOKEN, device=self.device))
            return torch.cat((first, batch.logits))

    def _padded(self, rows: list[list[int]]) -> tuple[Tensor, Tensor, Tensor]:
        """Left-pad token rows; return ids, attention mask and positions, each int64 (batch, longest)."""
        import torch

        longest = max(map(len, rows))
        ids = torch.tensor([[0] * (longest - len(row)) + row for row in rows], device=self.device)
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=self.device)
        return ids, mask, (mask.cumsum(1) - 1).clamp(min=0)

    def _forward(self, ids: Tensor, mask: Tensor, positions: Tensor, cache: DynamicCache | None) -> Tensor:
        """Return the float32 logits after the last token of every row, (batch, vocabulary)."""
        arguments: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
        if self._takes_positions:
            arguments["position_ids"] = positions
        if self._takes_logits_to_keep:
            arguments["logits_to_keep"] = 1
        arguments[self._cache_name] = cache
        if self._cache_name == "cache_params" and ids.shape[1] < mask.shape[1]:
            arguments["attention_mask"] = None  # a recurrent model knows a mask of the prompt only
        output = self.model(**arguments, use_cache=cache is not None)
        logits: Tensor = output.logits[:, -1].float()
        return logits


class _Batch:
    """The rows in work, with their cache: everything that is cut when rows finish and joined when rows enter."""

    def __init__(self, decoder: Decoder, rows: list[TokenSequence], sampling: Sampling, prefix: Prefix | None) -> None:
        import torch

        self.decoder = decoder
        self.rows = rows
        self.sampling = sampling
        self.keys = row_keys([row.seed for row in rows], decoder.device)  # (batch,)
        self.steps = torch.zeros(len(rows), dtype=torch.int64, device=decoder.device)  # tokens generated, (batch,)
        before = len(prefix.ids) if prefix is not None else 0
        ids, self.mask, positions = decoder._padded([row.prompt_ids[before:] for row in rows])
        config = decoder.model.config
        if prefix is None:
            self.cache = kv_cache.new_cache(config)
        elif decoder.keeps_prefix_once():
            self.cache = kv_cache.new_cache(config, prefix.cache)
        else:
            self.cache = kv_cache.repeated(prefix.cache, config, len(rows))
            self.mask = torch.cat((self.mask.new_ones(len(rows), before), self.mask), 1)
        # the mask, int64 (batch, tokens in the cache), knows nothing of a prefix that is kept once: all may see it
        self.positions = positions[:, -1:] + before  # (batch, 1)
        self.logits = decoder._forward(ids, self.mask, positions + before, self.cache)
        penalties = sampling.presence_penalty or sampling.frequency_penalty
        self.counts = torch.zeros_like(self.logits) if penalties else None

    def next_tokens(self) -> Tensor:
        """Choose the next token of every row, int64 (batch,)."""
        decoder = self.decoder
        tokens, doubtful = choose_tokens(self.logits, self.counts, self.keys, self.steps, self.sampling, decoder.margin)
        if decoder.margin > 0:
            for index in doubtful.nonzero()[:, 0].tolist():
                if self.rows[index].finish_reason is None:
                    tokens[index] = self._decide_alone(index)
        return tokens

    def _decide_alone(self, index: int) -> int:
        """Choose a row's token from the row alone: one sequence, no padding, no cache, so that no neighbour matters."""
        decoder, row = self.decoder, self.rows[index]
        decoder.num_decided_alone += 1
        logits = decoder._forward(*decoder._padded([row.prompt_ids + row.new_ids]), None)
        counts = None if self.counts is None else self.counts[index : index + 1]
        one = slice(index, index + 1)
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
        self.counts = None if self.counts is None else self.counts[indices]
        return tokens[indices]

    def advance(self, tokens: Tensor) -> None:
        """Feed the chosen tokens, int64 (batch,), and compute the next logits."""
        import torch

        if self.counts is not None:
            self.counts.scatter_add_(1, tokens[:, None], self.counts.new_ones(len(tokens), 1))
        self.steps = self.steps + 1
        # a finished row stays where it is: there may be no next position
        is_open = torch.tensor([[row.finish_reason is None] for row in self.rows], device=tokens.device)
        self.positions = self.positions + is_open
        self.mask = torch.cat((self.mask, self.mask.new_ones(len(tokens), 1)), 1)
        self.logits = self.decoder._forward(tokens[:, None], self.mask, self.positions, self.cache)


def _joined(batches: list[_Batch]) -> _Batch:
    """Put the rows of several batches into the first; columns that no row uses any more go."""
    import torch

    first = batches[0]
    if len(batches) == 1:
        return first
    masks = [batch.mask[:, int(batch.mask.any(0).nonzero()[0, 0]) :] for batch in batches]
    width = max(mask.shape[1] for mask in masks)
    caches = [batch.cache for batch in batches]
    first.cache = kv_cache.joined(caches, first.decoder.model.config, width)
    first.mask = torch.cat([torch.nn.functional.pad(mask, (width - mask.shape[1], 0)) for mask in masks])
    first.rows = [row for batch in batches for row in batch.rows]
    for name in ("keys", "steps", "positions", "logits", "counts"):
        if getattr(first, name) is not None:
            setattr(first, name, torch.cat([getattr(batch, name) for batch in batches]))
    return first
