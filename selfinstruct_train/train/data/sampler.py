"""The order of training rows, or of packs: random over an epoch, sorted by length within an optimizer step.

Micro-batches that mix many short and few long rows waste most of their work on padding. Sorting within a step leaves
the rows of the step, and so its gradient, as they were drawn. All processes take the same number of micro-batches: the
last step of an epoch is filled up with a row that carries no loss.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from ...core.seeding import derive_seed


class StepSampler:
    """Row indices for a DataLoader. Each epoch has its own order, which depends on seed and epoch alone.

    Epochs are counted from `first_epoch` here, because accelerate's wrapper of a resumed DataLoader hides `set_epoch`.

    Args:
        multiple: the length of an epoch is a multiple of it; the index behind the last row's stands for a filler.
    """

    def __init__(
        self, lengths: Sequence[int], batch_size: int, seed: int, first_epoch: int = 0, multiple: int = 1
    ) -> None:
        self._lengths = lengths
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = first_epoch
        self._num_fillers = -len(lengths) % multiple

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths) + self._num_fillers

    def __iter__(self) -> Iterator[int]:
        order = list(range(len(self._lengths)))
        random.Random(derive_seed(self._seed, "train", "order", self._epoch)).shuffle(order)
        for start in range(0, len(order), self._batch_size):
            step = sorted(order[start : start + self._batch_size], key=lambda i: (self._lengths[i], i))
            if start + self._batch_size >= len(order):
                yield from [
                    len(order)
                ] * self._num_fillers  # in one micro-batch, as far as possible, so that few of them are padded
            yield from step
        self._epoch += 1
