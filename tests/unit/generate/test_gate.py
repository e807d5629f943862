"""The gate within a run: what it blocks, what it only marks, and that it leaves all else as it is."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pyarrow.parquet
import pytest

from selfinstruct_train.config import ContaminationConfig
from selfinstruct_train.core.records import EvaluationExample
from selfinstruct_train.generate.pipeline import Generated, generate, prepare, read_plan
from selfinstruct_train.generate.refilter import refilter
from tests.support import scripted_lm as scripted


def run(world: Path, run_dir: Path, evaluation_data: list[EvaluationExample], **settings: object) -> Generated:
    config = scripted.make_config(world, run_dir, num_instructions=25, contamination=ContaminationConfig(**settings))
    return generate(prepare(config), scripted.ScriptedLM(), evaluation_data)


def ledger(run_dir: Path) -> list[dict]:
    return [json.loads(line) for line in (run_dir / "candidates/instances.jsonl").read_text().splitlines()]


def rows(run_dir: Path) -> list[dict]:
    return pyarrow.parquet.read_table(run_dir / "dataset/train.parquet").to_pylist()


@pytest.fixture
def evaluation_data(world: Path, tmp_path: Path) -> list[EvaluationExample]:
    """Examples that one generated instruction, one generated instance and one seed task are equal to."""
    made = run(world, tmp_path / "first", []).rows
    generated = [r for r in made if r.source == "generated" and r.input]
    other = next(r for r in generated if r.instruction != generated[0].instruction)
    return [
        EvaluationExample("tasks", "t-0", generated[0].instruction, "", ("x",)),
        EvaluationExample("tasks", "t-1", "Anything", other.input, (other.output,)),
        EvaluationExample("user", "u-0", made[0].instruction, "", ("x",)),
    ]


def test_blocked_rows_leave_the_dataset_and_are_counted_in_the_funnel(world, tmp_path, evaluation_data, caplog):
    with caplog.at_level(logging.WARNING):
        result = run(world, tmp_path / "run", evaluation_data, rouge_l_threshold=1.0)
    blocked = [entry for entry in ledger(tmp_path / "run") if entry["verdict"] == "contaminated"]
    by_rule = [entry["overlap"]["rule"] for entry in blocked]
    assert by_rule.count("equal") >= 1
    assert by_rule.count("instance") >= 1
    assert not {entry["id"] for entry in blocked} & {r["id"] for r in rows(tmp_path / "run")}
    assert len(rows(tmp_path / "run")) == len(rows(tmp_path / "first")) - len(blocked)
    assert result.funnel["instances"].verdicts["contaminated"] == len(blocked)
    first = next(entry for entry in blocked if entry["overlap"]["rule"] == "equal")
    assert first["overlap"] == {
        "set": "tasks", "id": "t-0", "rule": "equal", "text": evaluation_data[0].instruction
    }  # fmt: skip
    facts = json.loads((tmp_path / "run/contamination.json").read_text())
    assert facts["action"] == "block"
    assert facts["sets"] == {"tasks": 2, "user": 1}
    assert facts["generated"] == {
        "equal": by_rule.count("equal"), "instance": by_rule.count("instance"),
        "ngram": by_rule.count("ngram"), "rouge_l": by_rule.count("rouge_l"),
    }  # fmt: skip
    assert list(facts["seeds"]) == ["seed-0-0"]
    assert "1 of 10 seed instances overlap evaluation data and stay" in caplog.text
    assert "(seed-0-0: equal, u-0 of user)" in caplog.text


def test_flagged_rows_stay_to_the_byte_and_are_marked_in_the_ledger(world, tmp_path, evaluation_data):
    run(world, tmp_path / "run", evaluation_data, action="flag")
    same = "dataset/train.parquet"
    assert (tmp_path / "run" / same).read_bytes() == (tmp_path / "first" / same).read_bytes()
    marked = [entry for entry in ledger(tmp_path / "run") if entry["overlap"]]
    assert {entry["verdict"] for entry in marked} == {"kept"}
    assert sum(json.loads((tmp_path / "run/contamination.json").read_text())["generated"].values()) == len(marked) > 0


def test_the_gate_that_is_off_compares_nothing(world, tmp_path, evaluation_data):
    run(world, tmp_path / "run", evaluation_data, action="off")
    assert not any(entry["overlap"] for entry in ledger(tmp_path / "run"))
    facts = json.loads((tmp_path / "run/contamination.json").read_text())
    assert facts == {"action": "off", "sets": {}, "generated": {}, "seeds": {}}


def test_another_action_asks_no_model_again(world, tmp_path, evaluation_data):
    run(world, tmp_path / "run", evaluation_data)
    config = scripted.make_config(
        world, tmp_path / "run", num_instructions=25, contamination=ContaminationConfig(action="flag")
    )
    lm = scripted.ScriptedLM()
    generate(prepare(config), lm, evaluation_data)
    assert lm.asked == []
    same = "dataset/train.parquet"
    assert (tmp_path / "run" / same).read_bytes() == (tmp_path / "first" / same).read_bytes()


def test_refilter_has_the_gate_too(world, tmp_path, evaluation_data):
    blocked = len(rows(tmp_path / "first"))
    config = scripted.make_config(world, tmp_path / "first", num_instructions=25)
    outcome = refilter(read_plan(config), evaluation_data).generated
    assert outcome.funnel["instances"].verdicts["contaminated"] == blocked - len(outcome.rows) > 0
