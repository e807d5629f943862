"""The decode loop of the transformers backend: token rows in, generated token ids out.

Rows are left-padded and run together. The prompt prefix that they share is run once. What follows it depends on the
architecture (`trial` finds out): the prefix exists once for all rows, or its cache is copied to each row, or every row
runs its whole prompt. Finished rows leave the batch and waiting rows take their places. `generate` is not used: it
samples all rows from one global generator, so that rows depend on their neighbours. Choices too close to call between
batch shapes are decided by `Batch.decide_alone`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ...core.records import Sampling
from . import kv_cache, trial
from .batch import COMPACT_BELOW, Batch, Prefix, TokenSequence, joined, started
from .network import Network

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


class Decoder:
    """Runs rows through one causal LM.

    `num_tokens` counts the work done, for benchmarks and tests.
    """

    def __init__(self, model: PreTrainedModel, eos_ids: frozenset[int], device: str, margin: float) -> None:
        self.network = Network(model, device, margin)
        self.eos_ids = eos_ids
        self.num_tokens = 0
        self._is_checked = False
        self._last_prefix: Prefix | None = None

    def check_architecture(self) -> None:
        """Try once what the model can do in batches and with shared prefixes.

        Raises:
            ValueError: padded rows, run with a cache, do not get the logits of each whole text alone; some
                architectures ignore the cache or see the padding or another call.
        """
        if not self._is_checked:
            trial.check_batches(self.network)
            self.network.prefix_use = trial.find_prefix_use(self.network)
            self._is_checked = True

    def can_share_prefix(self) -> bool:
        """Return whether a shared prefix is run once; then rows of other batches can be joined, too."""
        return self.network.prefix_use != "never"

    def keeps_prefix_once(self) -> bool:
        """Return whether a shared prefix exists once for all rows; else it is copied to each."""
        return self.network.prefix_use == "once"

    def run_prefix(self, prefix_ids: list[int]) -> Prefix:
        """Return the one-row cache of a prompt prefix; the last one is kept."""
        import torch

        if self._last_prefix is None or self._last_prefix.ids != prefix_ids:
            self._last_prefix = None  # two long ones may not fit in memory
            cache = kv_cache.new_cache(self.network.config)
            with torch.inference_mode():
                self.network.forward(*self.network.padded([prefix_ids]), cache)
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
        batch: Batch | None = None
        with torch.inference_mode():
            while waiting or batch is not None:
                room = num_slots - (len(batch.rows) if batch is not None else 0)
                if waiting and (batch is None or (self.can_share_prefix() and room > (1 - COMPACT_BELOW) * num_slots)):
                    taken = [waiting.popleft() for _ in range(min(room, len(waiting)))]
                    batch = joined([*([batch] if batch else []), *started(self.network, taken, sampling, prefix)])
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
