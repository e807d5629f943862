"""What a step shows of itself, on a terminal and in a log."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from selfinstruct_train.core import progress as module
from selfinstruct_train.core.progress import (
    Display,
    command_shown,
    compact,
    duration,
    hide_bars_in_logs,
    others_speak,
    shown,
)
from tests.support.terminal import Clock, Terminal


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


@pytest.fixture(autouse=True)
def at_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def test_a_step_that_says_nothing_has_a_line_each_half_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    display = Display("loading the model", stream=io.StringIO(), clock=clock)
    for second in range(1, 76):
        clock.now = float(second)
        display.look()
    display.close()
    assert lines(caplog) == [
        "loading the model: 30 s so far", "loading the model: 1 min 0 s so far", "loading the model: took 1 min 15 s",
    ]  # fmt: skip


def test_a_counted_step_tells_its_figures_and_the_time_to_go(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    display = Display("train seeds", "steps", 22, stream=io.StringIO(), clock=clock)
    clock.now = 20.0
    display.add(1, "loss 2.585")
    clock.now = 40.0
    display.add(1, "loss 2.718")  # 2 in 40 seconds, 20 to go
    assert lines(caplog) == ["train seeds: 2 of 22 steps, loss 2.718, 6 min 40 s to go"]


def test_what_an_earlier_run_did_is_no_progress(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    display = Display("train seeds", "steps", 22, stream=io.StringIO(), clock=clock)
    display.begin_at(20)
    clock.now = 40.0
    display.update(21)  # 1 in 40 seconds, 1 to go
    assert lines(caplog) == ["train seeds: 21 of 22 steps, 40 s to go"]


def test_the_last_line_comes_once(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    display = Display("files", "files", 2, stream=io.StringIO(), clock=clock)
    clock.now = 31.0
    display.update(2)
    display.close()
    assert lines(caplog) == ["files: 2 of 2 files, took 31 s"]


def test_a_step_that_is_over_soon_leaves_no_line(caplog: pytest.LogCaptureFixture) -> None:
    with shown("loading the model"):
        pass
    with shown("files", "files", 2) as display:
        display.add(2)
    assert lines(caplog) == []


@pytest.mark.parametrize("silent", [shown, command_shown])
def test_the_thread_looks_while_the_work_is_silent(
    silent: Callable[[str], AbstractContextManager[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SECONDS_BETWEEN_LOOKS", 0.001)
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LOG_LINES", 0.01)
    before = threading.active_count()
    told = threading.Event()
    monkeypatch.setattr(module.logger, "info", lambda *_: told.set())
    with silent("loading the model"):
        assert told.wait(10)
    assert threading.active_count() == before


def test_of_nested_steps_the_innermost_is_shown_and_else_the_command(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    command = module._CommandLine("train", clock=clock)
    outer, inner = (Display(name, stream=io.StringIO(), clock=clock) for name in ("examining", "loading"))

    def after_half_a_minute(*looking: module._CommandLine | Display) -> list[str]:
        caplog.clear()
        for _ in range(30):
            clock.now += 1
            for one in looking:
                one.look()
        return lines(caplog)

    assert after_half_a_minute(command) == ["train: 30 s so far"]
    with module._open(outer):
        with module._open(inner):
            assert after_half_a_minute(command, outer, inner) == ["loading: 31 s so far"]  # at the first look
        assert after_half_a_minute(command, outer) == ["examining: 1 min 1 s so far"]
        with others_speak():
            assert after_half_a_minute(command, outer) == []
    assert after_half_a_minute(command) == ["train: 2 min 30 s so far"]


def test_a_terminal_sees_a_bar_and_a_log_none(caplog: pytest.LogCaptureFixture) -> None:
    terminal, log = Terminal(), io.StringIO()
    for stream in (terminal, log):
        display = Display("files", "files", 4, stream=stream)
        display.update(3)
        display.update(1)
        display.close()
    assert "files:  25%|####            | 1/4" in terminal.getvalue().replace("\u2588", "#")
    assert log.getvalue() == ""
    assert lines(caplog) == []


def test_bars_of_libraries_are_hidden_in_a_log_only(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in module._HIDES_BARS:
        monkeypatch.delenv(name, raising=False)
    hide_bars_in_logs(Terminal())
    assert "TQDM_DISABLE" not in os.environ
    hide_bars_in_logs(io.StringIO())
    assert [os.environ.pop(name) for name in module._HIDES_BARS] == ["1", "1", "1"]


def test_numbers_and_times_are_short() -> None:
    assert [compact(n) for n in (0, 950, 1234, 123_456, 1_230_000, 5e9)] == [
        "0", "950", "1.23k", "123k", "1.23M", "5.00G",
    ]  # fmt: skip
    assert [duration(s) for s in (0.4, 59, 61, 3599.6, 3700, 86_340, 100_000)] == [
        "0 s", "59 s", "1 min 1 s", "1 h 0 min", "1 h 2 min", "23 h 59 min", "1 d 4 h",
    ]  # fmt: skip


def test_a_step_of_unknown_length_tells_its_count_and_figures(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    display = Display("comparing", "examples", stream=io.StringIO(), clock=clock)
    display.add(1500)
    clock.now = 31.0
    display.add(500, "3 found")
    assert lines(caplog) == ["comparing: 31 s so far, 2,000 examples, 3 found"]


def test_a_step_that_fails_has_no_closing_line(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    for has_failed, last in ((True, []), (False, ["loading: took 35 s"])):
        caplog.clear()
        clock.now = 0.0
        display = Display("loading", stream=io.StringIO(), clock=clock)
        clock.now = 30.0
        display.look()
        clock.now = 35.0
        display.close(has_failed)
        assert lines(caplog) == ["loading: 30 s so far", *last]


def test_a_failure_inside_closes_the_step_as_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    monkeypatch.setattr(Display, "close", lambda _, has_failed=False: closed.append(has_failed))
    with shown("loading"):
        pass
    with pytest.raises(KeyboardInterrupt), shown("loading"):
        raise KeyboardInterrupt
    assert closed == [False, True]


def test_a_look_that_fails_is_logged_once_and_repeated(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(module, "_SECONDS_BETWEEN_LOOKS", 0.001)
    is_third = threading.Event()
    calls = []

    def look() -> None:
        calls.append(1)
        if len(calls) == 3:
            is_third.set()
        raise RuntimeError("dictionary changed size during iteration")

    with module._repeated(look):
        assert is_third.wait(10)
    assert [(record.levelname, record.exc_info is not None) for record in caplog.records] == [("DEBUG", True)]
