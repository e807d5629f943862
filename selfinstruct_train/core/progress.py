"""The live line of a step: how far it is, how fast, and what it does.

On a terminal it is a bar. Elsewhere (a log file, CI) it is a line of the log every half minute, however long the work
itself says nothing: a thread of its own looks at the clock. A step that is over sooner leaves no line, except what its
source says is worth one. Of nested steps the innermost is shown; a command that shows no step is shown itself. Bars of
other libraries are switched off in a log by `hide_bars_in_logs`.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOG_LINES = 30.0
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BETWEEN_FRAMES = 0.1
"""On a terminal."""
_HIDES_BARS = ("TQDM_DISABLE", "HF_HUB_DISABLE_PROGRESS_BARS", "HF_DATASETS_DISABLE_PROGRESS_BARS")
"""Variables that tqdm and the libraries on it read when they are imported."""


class Source(Protocol):
    """What a step says of itself besides its number."""

    def has_begun(self) -> bool:
        """Return whether the work began from which the remaining time is computed, and which deserves a last line."""
        ...

    def text(self) -> str:
        """Return what is known at this moment, e.g. requests and tokens; empty: nothing."""
        ...


class Display:
    """Shows one step. Make one with `shown`.

    Args:
        total: how many of `unit` there will be; None: that is unknown, and the time is shown with the count so far.
    """

    def __init__(
        self,
        step: str,
        unit: str = "",
        total: int | None = None,
        source: Source | None = None,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from tqdm import tqdm

        stream = stream or sys.stderr
        self._step, self._unit, self._total, self._source, self._clock = step, unit, total, source, clock
        self._lock = threading.RLock()
        self._is_terminal = stream.isatty() and os.environ.get("RANK", "0") == "0"
        counted = "{desc}: {percentage:3.0f}%|{bar:16}| {n_fmt}/{total_fmt}{postfix}"
        self._bar = tqdm(
            total=total,
            desc=step,
            file=stream,
            disable=not self._is_terminal,
            bar_format=counted if total is not None else "{desc}: {elapsed}{postfix}",
            dynamic_ncols=True,
        )
        self._begun = self._origin = self._shown = clock()
        self._num_at_origin = self._num = 0
        self._figures = ""
        self._last_line: tuple[object, ...] = ()
        """What the last line of the log said."""

    def begin_at(self, num: int) -> None:
        """Say how many there were before, e.g. in an earlier run; the remaining time is computed from here."""
        with self._lock:
            self._num = self._num_at_origin = num
            self._origin = self._clock()

    def update(self, num: int, figures: str = "") -> None:
        """Say how many there are by now; `figures` are the step's own."""
        with self._lock:
            if self._source is not None and not self._source.has_begun():
                self._origin, self._num_at_origin = self._clock(), num
            self._num, self._figures = num, figures
            self._show()

    def add(self, num: int, figures: str = "") -> None:
        """Say how many more there are."""
        with self._lock:
            self.update(self._num + num, figures)

    def look(self) -> None:
        """Show what has changed without an update; a thread calls it every second."""
        with self._lock:
            self._show()

    def close(self, has_failed: bool = False) -> None:
        """Leave the last state to be read, once; of a step that failed a log gets no closing line."""
        with self._lock:
            if self._is_terminal:
                self._draw()
            self._bar.close()
            if has_failed:
                return
            deserves_it = self._last_line or (self._source is not None and self._source.has_begun())
            if not self._is_terminal and deserves_it and (self._total is None or self._state() != self._last_line):
                self._log(is_over=True)

    def _show(self) -> None:
        if self in _steps and _steps[-1] is not self:
            return
        since = self._clock() - self._shown
        if self._is_terminal and since >= _SECONDS_BETWEEN_FRAMES:
            self._draw()
        elif not self._is_terminal and since >= SECONDS_BETWEEN_LOG_LINES:
            self._log()

    def _draw(self) -> None:
        self._shown = self._clock()
        self._bar.set_postfix_str(self._text(), refresh=False)
        self._bar.n = self._num
        self._bar.refresh()

    def _log(self, is_over: bool = False) -> None:
        self._shown, self._last_line = self._clock(), self._state()
        seconds = duration(self._clock() - self._begun)
        took = f"took {seconds}" if is_over or self._num == self._total else f"{seconds} so far"
        if self._total is None:
            line = f"{self._step}: {took}"
            text = self._text()
        else:
            line = f"{self._step}: {self._num:,} of {self._total:,} {self._unit}"
            text = self._text() or took
        logger.info("%s", ", ".join(part for part in (line, text) if part))

    def _state(self) -> tuple[object, ...]:
        return (self._num, self._figures, self._source.text() if self._source is not None else "")

    def _text(self) -> str:
        source = self._source.text() if self._source is not None else ""
        count = f"{self._num:,} {self._unit}" if self._total is None and self._unit and self._num else ""
        return ", ".join(part for part in (count, self._figures, source, self._time_to_go()) if part)

    def _time_to_go(self) -> str:
        num_made = self._num - self._num_at_origin
        if self._total is None or num_made <= 0 or self._num >= self._total:
            return ""
        return f"{duration((self._clock() - self._origin) / num_made * (self._total - self._num))} to go"


@contextmanager
def shown(step: str, unit: str = "", total: int | None = None, source: Source | None = None) -> Iterator[Display]:
    """Show a step while the block runs, e.g. `with shown("loading the model"):`."""
    display = Display(step, unit, total, source)
    with _open(display):
        try:
            with _repeated(display.look):
                yield display
        except BaseException:
            display.close(has_failed=True)
            raise
        display.close()


@contextmanager
def command_shown(command: str) -> Iterator[None]:
    """Log every half minute how long a command has run while it shows no step; a terminal gets the same lines."""
    with _repeated(_CommandLine(command).look):
        yield


class _CommandLine:
    """The line of a command that shows no step."""

    def __init__(self, command: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._command, self._clock = command, clock
        self._begun = self._logged = clock()

    def look(self) -> None:
        now = self._clock()
        if _steps:
            self._logged = now
        elif now - self._logged >= SECONDS_BETWEEN_LOG_LINES:
            self._logged = now
            logger.info("%s: %s so far", self._command, duration(now - self._begun))


@contextmanager
def others_speak() -> Iterator[None]:
    """Show nothing while the block runs: it waits for another process, or for a person."""
    with _open(None):
        yield


_steps: list[Display | None] = []
"""The steps that are being shown, the innermost last."""


@contextmanager
def _open(display: Display | None) -> Iterator[None]:
    _steps.append(display)
    try:
        yield
    finally:
        _steps.pop()


@contextmanager
def _repeated(look: Callable[[], None]) -> Iterator[None]:
    """Call a function every second in a thread while the block runs; of its failures the first is logged at DEBUG."""
    is_over = threading.Event()

    def repeat() -> None:
        has_failed = False
        while not is_over.wait(_SECONDS_BETWEEN_LOOKS):
            try:
                look()
            except Exception:  # a source can fail in any way, e.g. while the work changes what it reads
                if not has_failed:
                    logger.debug("the progress of a step could not be shown", exc_info=True)
                has_failed = True

    thread = threading.Thread(target=repeat, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def hide_bars_in_logs(stream: TextIO | None = None) -> None:
    """Switch off the bars of other libraries where stderr is no terminal: a log would keep all their states.

    It must be called before these libraries are imported; processes that are started later inherit it.
    """
    if not (stream or sys.stderr).isatty():
        for name in _HIDES_BARS:
            os.environ.setdefault(name, "1")


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
