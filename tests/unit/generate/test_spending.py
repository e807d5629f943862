"""The meter: what is counted, what a limit lets through, and that a run stopped by one loses nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct_train.config import BudgetConfig, Config, ModelConfig, Price
from selfinstruct_train.core.journal import Journal, read_journal
from selfinstruct_train.core.records import BudgetReachedError, Completion, Request, Sampling
from selfinstruct_train.generate.pipeline import generate, prepare
from selfinstruct_train.lm.base import OnAnswer
from selfinstruct_train.lm.budget import Meter, MeteredLM, Usage, money, price_of, spent_before
from tests.support import scripted_lm as scripted
from tests.support.cli import run_cli

PRICE = Price(input=2.0, output=10.0)
SAMPLING = Sampling(max_new_tokens=10)
REQUESTS = [Request(f"r{i}", "x" * 40, i) for i in range(20)]


class TokenLM:
    """Takes a token for 4 bytes of prompt and always `num_tokens` tokens of answer; tells of each answer."""

    name = "token"
    chunk_size = 8

    def __init__(self, num_tokens: int = 10, tells: bool = True) -> None:
        self.num_tokens, self.tells = num_tokens, tells
        self.calls: list[int] = []

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        self.calls.append(len(requests))
        answers = [Completion(r.id, "y", "stop", len(r.prompt) // 4, self.num_tokens) for r in requests]
        if self.tells and on_answer is not None:
            for answer in reversed(answers):
                on_answer([answer])
        return answers


def meter(before: Usage | None = None, price: Price = PRICE, **budget: object) -> Meter:
    return Meter(BudgetConfig(**budget), price, before or Usage())  # type: ignore[arg-type]


@pytest.mark.parametrize("tells", [True, False])
def test_every_answer_is_counted_once_and_told_once(tells: bool) -> None:
    counted, told = meter(), []
    answers = MeteredLM(TokenLM(tells=tells), counted).complete(REQUESTS[:3], SAMPLING, told.extend)
    assert [a.request_id for a in answers] == ["r0", "r1", "r2"]
    assert sorted(a.request_id for a in told) == ["r0", "r1", "r2"]
    assert counted.now == Usage(3, 30, 30, pytest.approx((30 * 2 + 30 * 10) / 1e6))


def test_without_a_limit_all_requests_go_out_at_once() -> None:
    lm = TokenLM()
    MeteredLM(lm, meter()).complete(REQUESTS, SAMPLING)
    assert lm.calls == [20]


def test_a_limit_of_tokens_is_not_passed_and_all_that_fits_is_asked() -> None:
    lm, told = TokenLM(), []
    counted = meter(max_tokens=210)
    with pytest.raises(BudgetReachedError, match=r"budget\.max_tokens is reached: 200 of 210 tokens are spent"):
        MeteredLM(lm, counted).complete(REQUESTS, SAMPLING, told.extend)
    # an answer takes 10 + 10; the first are thought to take 40 + 10 each, so 4 of them go out at first
    assert counted.spent.tokens == 200
    assert lm.calls == [4, 6]
    assert len(told) == 10


def test_a_limit_of_money_counts_what_was_spent_before() -> None:
    lm = TokenLM()
    counted = meter(Usage(5, 100, 100, 0.0012), max_cost=0.0018)  # an answer costs 10 * 2 + 10 * 10 millionths
    with pytest.raises(BudgetReachedError, match=r"max_cost is reached: 0\.0018 of 0\.0018 USD are spent"):
        MeteredLM(lm, counted).complete(REQUESTS, SAMPLING)
    assert sum(lm.calls) == 5
    assert counted.spent.cost == pytest.approx(0.0018)


def test_answers_that_are_shorter_than_their_worst_leave_room_for_more() -> None:
    lm = TokenLM(num_tokens=1)
    counted = meter(max_tokens=100)
    with pytest.raises(BudgetReachedError):
        MeteredLM(lm, counted).complete(REQUESTS, SAMPLING)
    assert lm.calls[0] == 2
    assert counted.spent.tokens == 88  # 8 answers of 11; a ninth might take 20 and there are 12


def test_what_is_kept_back_is_not_for_others() -> None:
    lm, counted = TokenLM(), meter(max_tokens=120)
    counted.keep_back(prompt_bytes=30, completion_tokens=30)  # 30 + 30 while nothing is known of the tokenizer
    with pytest.raises(BudgetReachedError, match="38 are kept back to finish what is accepted"):
        MeteredLM(lm, counted).complete(REQUESTS, SAMPLING)  # 8 + 30 as soon as something is
    assert counted.spent.tokens == 80
    counted.release()
    with pytest.raises(BudgetReachedError, match="120 of 120"):
        MeteredLM(lm, counted).complete(REQUESTS[10:], SAMPLING)


def test_the_price_of_a_journal_is_that_of_the_path_in_its_models_name() -> None:
    budget = BudgetConfig(prices={"a": PRICE, "a@b": Price(1, 1)})
    assert price_of("a@main transformers float32", budget) == PRICE
    assert price_of("a@b@main http", budget) == Price(1, 1)
    assert price_of("ab@main http", budget) == Price(0, 0)


def test_all_journals_of_the_run_directory_count_each_at_its_own_price(tmp_path: Path) -> None:
    config = Config(
        run_dir=str(tmp_path),
        model=ModelConfig(path="m"),
        budget=BudgetConfig(prices={"m": PRICE, "strong": Price(100.0, 100.0)}),
    )
    for name in ("m", "strong", "free"):
        lm = TokenLM()
        with Journal.open(tmp_path / f"journal/{name}.jsonl", {"lm": f"{name}@1 http"}) as journal:
            journal.complete(lm, REQUESTS[:2], SAMPLING)
    with Journal.open(tmp_path / "journal/m.jsonl", {"lm": "m@1 http"}) as own:
        usage = spent_before(config, [own])
    assert usage == Usage(6, 60, 60, pytest.approx(2 * 120e-6 + 2 * 2000e-6))


def test_small_sums_of_money_keep_their_digits() -> None:
    assert [money(a) for a in (0, 0.00012345, 0.5, 12.3456, 1234.5)] == [
        "0.00", "0.000123", "0.5", "12.35", "1,234.50",
    ]  # fmt: skip


# whole runs


def small(world: Path, run_dir: Path, **budget: object) -> Config:
    config = scripted.make_config(world, run_dir, num_instructions=30)
    g = config.generate
    short = {
        "instruction_sampling": replace(g.instruction_sampling, max_new_tokens=80),
        "instance_sampling": replace(g.instance_sampling, max_new_tokens=60),
    }
    return replace(config, generate=replace(g, **short), budget=BudgetConfig(**budget))  # type: ignore[arg-type]


def tokens_of(run_dir: Path) -> int:
    return sum(
        c.prompt_tokens + c.completion_tokens for path in run_dir.glob("journal/*.jsonl") for c in read_journal(path)[1]
    )


def digest(run_dir: Path) -> str:
    return hashlib.sha256((run_dir / "dataset/train.parquet").read_bytes()).hexdigest()


def test_a_limit_raised_again_and_again_gives_the_dataset_of_an_undisturbed_run_and_is_never_passed(
    world: Path, tmp_path: Path
) -> None:
    generate(prepare(small(world, tmp_path / "whole")), scripted.ScriptedLM())
    total = tokens_of(tmp_path / "whole")
    run_dir, asked, messages = tmp_path / "run", [], []
    for limit in range(1000, 4 * total, 700):
        lm = scripted.ScriptedLM()
        try:
            generate(prepare(small(world, run_dir, max_tokens=limit)), lm)
        except BudgetReachedError as error:
            messages.append(str(error))
            assert not (run_dir / "dataset").exists()
        asked += lm.asked
        assert tokens_of(run_dir) <= limit
        if (run_dir / "dataset").exists():
            break
    assert len(messages) > 5
    assert len(asked) == len(set(asked))
    assert tokens_of(run_dir) == total
    assert digest(run_dir) == digest(tmp_path / "whole")


def test_a_limit_reached_in_stage_1_leaves_enough_to_finish_what_was_accepted(world: Path, tmp_path: Path) -> None:
    config = small(world, tmp_path / "run", max_tokens=4500)
    with pytest.raises(
        BudgetReachedError, match=r"of 30 instructions are accepted .*raise budget\.max_tokens"
    ) as error:
        generate(prepare(config), scripted.ScriptedLM())
    number = int(str(error.value).split("--generate.num_instructions ")[1].split()[0])
    assert 0 < number < 30
    shorter = replace(config, generate=replace(config.generate, num_instructions=number))
    result = generate(prepare(shorter), scripted.ScriptedLM())
    assert len(result.instructions) == number
    assert len(result.rows) > number
    assert tokens_of(tmp_path / "run") <= 4500


def test_nothing_is_kept_back_for_instructions_that_are_finished(world: Path, tmp_path: Path) -> None:
    generate(prepare(small(world, tmp_path / "run")), scripted.ScriptedLM())
    config = small(world, tmp_path / "run", max_tokens=tokens_of(tmp_path / "run") + 2000)
    longer = replace(config, generate=replace(config.generate, num_instructions=60))
    lm = scripted.ScriptedLM()
    with pytest.raises(BudgetReachedError):
        generate(prepare(longer), lm)
    assert any(id.startswith("instructions") for id in lm.asked)


def test_the_forecast_asks_the_runs_own_first_requests(
    world: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from selfinstruct_train.generate.pipeline import estimate_run

    lm = scripted.ScriptedLM()
    table = estimate_run(prepare(small(world, tmp_path / "run")), lm)
    assert [id for id in lm.asked if id.startswith("instructions")] == [f"instructions-000000-0{i}" for i in range(5)]
    later = scripted.ScriptedLM()
    assert estimate_run(prepare(small(world, tmp_path / "run")), later).splitlines()[0] == table.splitlines()[0]
    assert later.asked == []
    caplog.set_level("INFO")
    generate(prepare(small(world, tmp_path / "run", forecast=True)), later)
    assert set(later.asked).isdisjoint(lm.asked)
    assert "forecast for 30 instructions" in caplog.text
    generate(prepare(small(world, tmp_path / "whole")), scripted.ScriptedLM())
    assert digest(tmp_path / "run") == digest(tmp_path / "whole")
    for name in ("instructions", "classification", "instances"):
        mine, theirs = ((tmp_path / d / f"candidates/{name}.jsonl").read_text() for d in ("run", "whole"))
        assert mine == theirs


@pytest.mark.parametrize(
    ("verb", "done"), [("generate", "0 of 400 instructions are accepted; "), ("forecast", "may take 0.000648; ")]
)
def test_a_command_ends_with_exit_code_3_at_a_limit(tmp_path: Path, verb: str, done: str) -> None:
    budget = json.dumps({"builtin:tiny": {"input": 1, "output": 1}})
    options = ["--run_dir", str(tmp_path), "--budget.prices", budget, "--budget.max_cost", "0.0005"]
    ended = run_cli(verb, "tiny", *options)
    assert ended.returncode == 3
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("stopped: budget.max_cost is reached: 0.00 of 0.0005 USD are spent")
    assert f"{done}every answer is kept: raise budget.max_cost and give the same command to go on" in last


def test_a_forecast_goes_no_further_than_max_requests(world: Path, tmp_path: Path) -> None:
    from selfinstruct_train.generate.pipeline import estimate_run

    config = small(world, tmp_path / "run")
    capped = replace(config, generate=replace(config.generate, max_requests=5))
    table = estimate_run(prepare(capped), scripted.ScriptedLM())
    num_accepted = len(generate(prepare(capped), scripted.ScriptedLM()).instructions)
    assert num_accepted < 30
    assert f"forecast for {num_accepted} instructions" in table
