"""What the live line says, on a terminal and in a log."""

from __future__ import annotations

import io
import logging

import pytest

from selfinstruct_train.config import BudgetConfig, Price
from selfinstruct_train.core.progress import Display
from selfinstruct_train.lm.base import InWork
from selfinstruct_train.lm.budget import Meter, Usage
from selfinstruct_train.lm.progress import Spending
from tests.support.terminal import Clock, Terminal

PRICE = Price(2.0, 10.0)


def make(stream: io.StringIO, price: Price = PRICE) -> tuple[Display, Meter, Clock]:
    meter, clock = Meter(BudgetConfig(), price, Usage()), Clock()
    return Display("instructions", "accepted", 100, Spending(meter), stream, clock), meter, clock


def test_a_terminal_sees_tokens_cost_and_time_to_go() -> None:
    stream = Terminal()
    shown, meter, clock = make(stream)
    clock.now = 5.0
    shown.update(40, "80% of candidates accepted")  # read back from the journal
    meter.now += Usage(10, 12_000, 3_000, 0.054)
    clock.now = 15.0
    shown.update(50, "81% of candidates accepted")  # 10 in 10 seconds, 50 to go
    shown.close()
    last = stream.getvalue().split("\r")[-1]
    assert "50/100, 81% of candidates accepted, 10 requests, 12.0k tokens in, 3.00k out, 0.054 USD, 50 s to go" in last


def test_without_a_price_no_cost_is_shown() -> None:
    stream = Terminal()
    shown, meter, _ = make(stream, Price(0.0, 0.0))
    meter.now += Usage(1, 1, 1)
    shown.update(1)
    shown.close()
    assert "USD" not in stream.getvalue()


def test_elsewhere_a_line_comes_at_most_every_half_minute_and_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stream = io.StringIO()
    shown, meter, clock = make(stream)
    for second in range(1, 71):
        clock.now = float(second)
        meter.now += Usage(1, 10, 10)
        shown.update(second)
    shown.close()
    assert stream.getvalue() == ""
    assert [r.getMessage().split(",")[0] for r in caplog.records] == [
        "instructions: 30 of 100 accepted", "instructions: 60 of 100 accepted", "instructions: 70 of 100 accepted",
    ]  # fmt: skip


def test_a_stage_that_asked_nothing_says_nothing_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    shown, _, _ = make(io.StringIO())
    shown.update(100)
    shown.close()
    assert caplog.records == []


def test_one_long_batch_tells_what_the_model_is_writing(caplog: pytest.LogCaptureFixture) -> None:
    """No answer is finished yet, so nothing else moves."""
    caplog.set_level(logging.INFO)

    class Writing:
        tokens = 0

        def in_work(self) -> InWork:
            return InWork(16, self.tokens)

    shown, meter, clock = make(io.StringIO(), Price(0.0, 0.0))
    meter.model = model = Writing()
    for second in (30.0, 60.0):
        clock.now, model.tokens = second, int(40 * second)
        shown.look()
    assert [r.getMessage() for r in caplog.records] == [
        "instructions: 0 of 100 accepted, 0 requests, 0 tokens in, 0 out, 16 in work with 1.20k tokens",
        "instructions: 0 of 100 accepted, 0 requests, 0 tokens in, 0 out, 16 in work with 2.40k tokens",
    ]
