"""The order of training rows, or of packs: at random, and within an optimizer step by length.

A step of many short and few long rows wastes most of its work on padding when its micro-batches mix them. Sorting
inside a step leaves the step's rows, and so its gradient, as they were drawn. Several processes take equally many
micro-batches; what an epoch's last step lacks for that is filled up with a row that teaches nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from ...core.seeding import derive_seed


class StepSampler:
    """Row numbers for a DataLoader. Each epoch has its own order, which depends on seed and epoch alone.

    Epochs follow one another from `first_epoch`, also where a wrapper around a resumed DataLoader hides `set_epoch`.

    Args:
        multiple: an epoch's length is one of it, by the number behind the last row's, which stands for a filler.
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
        """Choose the epoch whose order the next iteration gives."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths) + self._num_fillers

    def __iter__(self) -> Iterator[int]:
        order = list(range(len(self._lengths)))
        random.Random(derive_seed(self._seed, "train", "order", self._epoch)).shuffle(order)
        for start in range(0, len(order), self._batch_size):
            step = sorted(order[start : start + self._batch_size], key=lambda i: (self._lengths[i], i))
            if start + self._batch_size >= len(order):
                yield from [len(order)] * self._num_fillers  # together, so that few of them are padded
            yield from step
        self._epoch += 1
