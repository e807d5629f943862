"""A balanced draw: of each task at most so many, each as likely as any other, and the same rows for the same seed.

Instances come one after another; twice as many as are drawn are in memory at most (reservoir sampling). What
small tasks leave of the total goes to the larger ones.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.seeding import derive_seed

Texts = tuple[str, str, str]
"""Instruction, input and output."""


@dataclass
class Sampler:
    """Keeps of each task at most `max_per_task` instances, and never more than `max_rows`; None: that alone."""

    max_rows: int
    max_per_task: int | None
    seed: int
    rows: dict[str, list[tuple[int, Texts]]] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    _rngs: dict[str, random.Random] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)
    _read: Counter[str] = field(default_factory=Counter)
    _num_kept: int = 0
    _limit: int = field(init=False)

    def __post_init__(self) -> None:
        self._limit = self.max_rows if self.max_per_task is None else min(self.max_rows, self.max_per_task)

    @property
    def num_read(self) -> int:
        """All instances that came, those skipped included."""
        return self._read.total()

    @property
    def settings(self) -> dict[str, Any]:
        """What the draw depends on."""
        return {"max_per_task": self.max_per_task or "no limit", "max_rows": self.max_rows, "seed": self.seed}

    def open(self, task: str) -> None:
        """Make a task known; again is no fault."""
        if task not in self.rows:
            self.rows[task] = []
            self._rngs[task] = random.Random(derive_seed(self.seed, "convert", "draw", task))

    def add(self, task: str, found: Texts | str) -> None:
        """Take (instruction, input, output) of the task's next instance, or the reason why it makes no row."""
        position = self._read[task]
        self._read[task] += 1
        if isinstance(found, str):
            self.skipped[found] += 1
            return
        kept = self.rows[task]
        self._counts[task] += 1
        if len(kept) < self._limit:
            kept.append((position, found))
            self._num_kept += 1
            if self._num_kept > 2 * self.max_rows:
                self._shrink()
        elif (index := self._rngs[task].randrange(self._counts[task])) < self._limit:
            kept[index] = (position, found)

    def _shrink(self) -> None:
        """Keep of each task no more than its share of what is there so far: whatever comes, it can only get less."""
        self._limit = max(shares([len(kept) for kept in self.rows.values()], self.max_rows))
        for task, kept in self.rows.items():
            if len(kept) > self._limit:
                self.rows[task] = self._rngs[task].sample(kept, self._limit)
        self._num_kept = sum(map(len, self.rows.values()))

    def draw(self) -> dict[str, list[tuple[int, Texts]]]:
        """Share `max_rows` out among the tasks; return of each (position in the task, texts), in order.

        Raises:
            ValueError: there is nothing, or more tasks than rows.
        """
        tasks = [task for task, kept in self.rows.items() if kept]
        if not tasks:
            raise ValueError(f"{', '.join(self.rows) or 'the source'}: no instance makes a row ({dict(self.skipped)})")
        if len(tasks) > self.max_rows:
            raise ValueError(f"--max-rows is {self.max_rows}, but there are {len(tasks)} tasks, and each must be in")
        parts = shares([len(self.rows[task]) for task in tasks], self.max_rows)
        return {
            task: sorted(self._rngs[task].sample(self.rows[task], part))
            for task, part in zip(tasks, parts, strict=True)
        }


def shares(counts: Sequence[int], total: int) -> list[int]:
    """Share `total` out as evenly as the counts allow: what small tasks leave goes to the larger ones."""
    shares = [0] * len(counts)
    for done, index in enumerate(sorted(range(len(counts)), key=lambda i: counts[i])):
        shares[index] = min(counts[index], total // (len(counts) - done))
        total -= shares[index]
    return shares
