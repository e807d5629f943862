"""The forecast: extrapolation worked out by hand."""

from __future__ import annotations

import pytest

from selfinstruct_train.config import BudgetConfig, Price
from selfinstruct_train.generate.forecast import Forecast, Sampled, estimate_requests, forecast_table
from selfinstruct_train.lm.budget import Usage

USAGES = {
    "instructions": Usage(5, 1000, 2000),
    "classification": Usage(10, 20_000, 20),
    "instances": Usage(10, 10_000, 1000),
}
PACE: dict[str, float | None] = {"instructions": 2.0, "classification": 0.1, "instances": 0.5}


def make(others: Usage | None = None, num_kept: int = 20, **budget: object) -> Forecast:
    settings = BudgetConfig(**budget)  # type: ignore[arg-type]
    sampled = Sampled(5, 40, num_kept, USAGES, PACE)
    return estimate_requests(100, sampled, Price(1.0, 10.0), settings, others or Usage())


def test_tokens_cost_and_time_grow_with_the_target() -> None:
    first, second, third = make().stages
    # 20 of 5 requests: 100 need 25 requests of 200 + 400 tokens
    assert (first.num_requests, first.prompt_tokens, first.completion_tokens) == (25, 5000, 10_000)
    assert (first.cost, first.seconds) == (pytest.approx(0.105), 50)
    assert (second.num_requests, second.prompt_tokens, second.completion_tokens) == (100, 200_000, 200)
    assert (second.cost, second.seconds) == (pytest.approx(0.202), 10)
    assert (third.num_requests, third.prompt_tokens, third.completion_tokens) == (100, 100_000, 10_000)
    assert (third.cost, third.seconds) == (pytest.approx(0.2), 50)


def test_the_acceptance_rate_has_wilsons_interval() -> None:
    assert make().acceptance == (0.5, pytest.approx(0.3520, abs=1e-4), pytest.approx(0.6480, abs=1e-4))


def test_a_limit_that_will_not_do_says_where_it_stops() -> None:
    assert make(max_cost=0.5071).stops_at is None
    assert make(max_cost=0.25).stops_at == 49  # 0.507 for 100
    assert make(max_tokens=162_600).stops_at == 50  # 325,200 for 100
    assert make(max_tokens=162_600, max_cost=0.25).stops_at == 49
    assert make(Usage(prompt_tokens=81_300), max_tokens=162_600).stops_at == 25
    assert make(Usage(cost=1.0), max_cost=0.5).stops_at == 0


def test_the_table_names_the_limits_and_the_sample() -> None:
    lines = forecast_table(make(max_cost=0.25), BudgetConfig(currency="EUR")).splitlines()
    assert lines[0] == "forecast for 100 instructions"
    assert lines[1].split() == ["stage", "asked", "requests", "tokens", "in", "tokens", "out", "EUR", "time"]
    assert lines[2].split() == ["instructions", "5", "25", "5.00k", "10.0k", "0.105", "50", "s"]
    assert lines[5].split() == ["all", "25", "225", "305k", "20.2k", "0.507", "1", "min", "50", "s"]
    assert lines[6].startswith(
        "acceptance 50% [35%, 65%] of 40 candidates, so between 19 and 36 requests of stage 1; it falls"
    )
    assert "at about 49 instructions" in lines[7]


def test_a_time_that_was_not_measured_is_unknown() -> None:
    pace = {**PACE, "instances": None}
    made = estimate_requests(100, Sampled(5, 40, 20, USAGES, pace), Price(0.0, 0.0), BudgetConfig(), Usage())
    assert [s.seconds for s in made.stages] == [50, 10, None]
    assert forecast_table(made, BudgetConfig()).splitlines()[5].endswith("unknown")


def test_no_cost_is_told_of_a_model_without_a_price() -> None:
    made = estimate_requests(100, Sampled(5, 40, 20, USAGES, PACE), Price(0.0, 0.0), BudgetConfig(), Usage())
    assert [line.split()[-3] for line in forecast_table(made, BudgetConfig()).splitlines()[2:5]] == ["-", "-", "-"]
