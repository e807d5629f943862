import json
from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct_eval.report.costs import StageCost, read_costs
from selfinstruct_train.config import BudgetConfig, Config, Price


def write_journal(run: Path, name: str, stage: str, lm: str, tokens: list[tuple[int, int]]) -> None:
    (run / "journal").mkdir(parents=True, exist_ok=True)
    rows = [{"format": 1, "stage": stage, "lm": lm}]
    for number, (prompt, completion) in enumerate(tokens):
        answer = {"id": str(number), "prompt_sha256": "0" * 64, "text": "x", "finish_reason": "stop"}
        rows.append(answer | {"prompt_tokens": prompt, "completion_tokens": completion})
    (run / "journal" / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_tokens_and_money_are_added_up_by_stage(tmp_path: Path):
    write_journal(tmp_path, "judge", "judge", "big@served http", [(1000, 10), (500, 5)])
    write_journal(tmp_path, "eval-base", "eval", "mine@abc transformers float32", [(7, 1)])
    write_journal(tmp_path, "eval-seeds", "eval", "mine@def transformers float32", [(7, 2)])
    write_journal(tmp_path, "instructions", "instructions", "mine@abc transformers float32", [(100, 50)])
    config = replace(Config(run_dir=str(tmp_path)), budget=BudgetConfig(prices={"big": Price(2.0, 10.0)}))
    costs = read_costs(config)
    assert costs is not None and costs.currency == "USD"
    assert costs.stages == (
        StageCost("instructions", 1, 100, 50, None),
        StageCost("eval", 2, 14, 3, None),
        StageCost("judge", 2, 1500, 15, pytest.approx(1500 * 2e-6 + 15 * 10e-6)),
    )
    assert costs.total == StageCost("all", 5, 1614, 68, pytest.approx(0.00315))


def test_without_journals_there_is_no_cost(tmp_path: Path):
    assert read_costs(Config(run_dir=str(tmp_path))) is None
