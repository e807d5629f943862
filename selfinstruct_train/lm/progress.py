"""The live line of a stage: how far, how fast, what it took.

On a terminal a bar; elsewhere (a log file, CI) a line of the log at most every half minute. Time to go is reckoned from
what came since the model was first asked: answers read back from a journal are not progress.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from .budget import FREE, Meter, money

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOG_LINES = 30.0


class Display:
    """Shows one stage. Make one with `display`.

    Args:
        total: how many of `unit` there will be.
    """

    def __init__(
        self,
        stage: str,
        unit: str,
        total: int,
        meter: Meter,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from tqdm import tqdm

        stream = stream or sys.stderr
        self._stage, self._unit, self._total, self._meter, self._clock = stage, unit, total, meter, clock
        self._is_terminal = stream.isatty()
        self._bar = tqdm(
            total=total,
            desc=stage,
            file=stream,
            disable=not self._is_terminal,
            bar_format="{desc}: {percentage:3.0f}%|{bar:16}| {n_fmt}/{total_fmt}{postfix}",
            dynamic_ncols=True,
        )
        self._asked_before = meter.now.num_requests
        self._origin = self._logged = clock()
        self._num_at_origin = self._num = 0
        self._figures = ""

    def update(self, num: int, figures: str = "") -> None:
        """Say how many there are by now; `figures` are the stage's own."""
        if self._meter.now.num_requests == self._asked_before:
            self._origin, self._num_at_origin = self._clock(), num
        self._num, self._figures = num, figures
        if self._is_terminal:
            self._bar.set_postfix_str(self._text(), refresh=False)
            self._bar.update(num - self._bar.n)
        elif self._clock() - self._logged >= SECONDS_BETWEEN_LOG_LINES:
            self._log()

    def close(self) -> None:
        """Leave the last state to be read."""
        self._bar.close()
        if not self._is_terminal and self._meter.now.num_requests > self._asked_before:
            self._log()

    def _log(self) -> None:
        self._logged = self._clock()
        logger.info("%s: %d of %d %s, %s", self._stage, self._num, self._total, self._unit, self._text())

    def _text(self) -> str:
        spent = self._meter.spent
        parts = [
            self._figures,
            f"{spent.num_requests:,} requests",
            f"{compact(spent.prompt_tokens)} tokens in, {compact(spent.completion_tokens)} out",
            f"{money(spent.cost)} {self._meter.budget.currency}" if self._meter.price != FREE else "",
            self._time_to_go(),
        ]
        return ", ".join(part for part in parts if part)

    def _time_to_go(self) -> str:
        num_made = self._num - self._num_at_origin
        if num_made <= 0 or self._num >= self._total:
            return ""
        return f"{duration((self._clock() - self._origin) / num_made * (self._total - self._num))} to go"


@contextmanager
def display(stage: str, unit: str, total: int, meter: Meter) -> Iterator[Display]:
    """Show a stage while the block runs."""
    shown = Display(stage, unit, total, meter)
    try:
        yield shown
    finally:
        shown.close()


def compact(number: float) -> str:
    """A number in three digits: 950, 12.3k, 1.20M."""
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:#.3g}{suffix}".replace(".k", "k").replace(".M", "M").replace(".G", "G")
    return f"{number:.0f}"


def duration(seconds: float) -> str:
    """A length of time in its two largest units: 45 s, 3 min 20 s, 5 h 12 min, 2 d 3 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    hours = round(seconds / 3600)
    return f"{hours // 24} d {hours % 24} h"
