import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from selfinstruct_eval.examples import Example, ExampleSet
from selfinstruct_eval.predict import predictions_file
from selfinstruct_eval.report.compare import compare_runs, differing_settings
from selfinstruct_eval.report.report import write_report
from selfinstruct_eval.scores import evaluate_predictions, to_json
from selfinstruct_train.config import Config, EvalConfig, TrainConfig
from selfinstruct_train.core.model_source import model_source
from selfinstruct_train.core.storage import write_json, write_jsonl
from tests.support.cli import run_cli

ATTACK = "</script><script>alert(1)</script>"


def examples_of(prefix: str = "task", number: int = 8) -> list[Example]:
    return [
        Example(f"{prefix}{t}-{i}", f"{prefix}{t}", f"kind {t % 2}", "Name it.", ATTACK, ("red cow",))
        for t in range(number)
        for i in range(2)
    ]


def make_run(
    folder: Path, right: dict[str, set[int]], examples: list[Example] | None = None, **settings: Any
) -> Config:
    """Leave what `selfinstruct eval` does; of each system the examples with these numbers are answered right."""
    examples = examples or examples_of()
    config = replace(Config(run_dir=str(folder)), **settings)
    predictions = {s: ["red cow" if n in good else "no" for n in range(len(examples))] for s, good in right.items()}
    evaluation = evaluate_predictions(ExampleSet("tasks", "here", examples), predictions, 42, 200)
    for system, texts in predictions.items():
        rows = [
            {
                **{"id": e.id, "task": e.task, "instruction": e.instruction, "input": e.input},
                **{"prediction": text, "references": list(e.references), "finish_reason": "stop"},
            }
            for e, text in zip(examples, texts, strict=True)
        ]
        write_jsonl(predictions_file(str(folder), system, "tasks"), rows)
    write_json(folder / "eval" / "scores.json", [to_json(evaluation)])
    write_report(config, [evaluation])
    return config


def test_paired_differences_between_runs_are_those_of_the_answers(tmp_path: Path):
    # of 16 examples a has 8 right, b the same 8 and 4 more: 25 points more, on each pair of tasks alike
    a, b = set(range(0, 16, 2)), set(range(0, 16, 2)) | set(range(1, 9, 2))
    make_run(tmp_path / "a", {"base": set(), "seeds+generated": a})
    make_run(tmp_path / "b", {"base": set(), "seeds+generated": b}, train=TrainConfig(learning_rate=1e-4))
    paths = compare_runs([str(tmp_path / "a"), str(tmp_path / "b")], str(tmp_path / "out"))
    assert [path.name for path in paths] == ["compared.html", "compared.md", "compared.json"]
    html, markdown, data = (path.read_text() for path in paths)
    rows = json.loads(data)["sets"][0]["comparisons"]
    found = next(c for c in rows if c["system"] == "b: seeds+generated" and c["against"] == "a: seeds+generated")
    assert found["metric"] == "rougeL" and found["value"] == 25.0
    overall = {
        s["system"]: s["value"]
        for s in json.loads(data)["sets"][0]["scores"]
        if s["kind"] == "overall" and not s["against"] and s["metric"] == "rougeL"
    }
    assert overall == {"base": 0.0, "a: seeds+generated": 50.0, "b: seeds+generated": 75.0}
    for text in (html, markdown):
        assert "b: seeds + generated" in text and "+25.0" in text and "train.learning" in text.replace("\\", "")
        assert "2e-05" in text and "0.0001" in text
    assert html.count("<script") == 2 == html.count("</script>") and "<script>" not in markdown


def test_the_page_names_the_tokenizer_that_rouge_compared(tmp_path: Path):
    tokenizer = model_source("builtin:tiny")
    for name in "ab":
        make_run(tmp_path / name, {"base": set(), "seeds": {1}}, eval=EvalConfig(rouge_tokenizer=tokenizer))
    html = compare_runs([str(tmp_path / name) for name in "ab"], str(tmp_path / "out"))[0].read_text()
    assert f"(F-measure, tokens of {tokenizer}, no stemmer)" in html and "Porter" not in html


def test_bases_that_answer_differently_stay_apart(tmp_path: Path):
    make_run(tmp_path / "a", {"base": {1}, "seeds": {1, 2}})
    make_run(tmp_path / "b", {"base": {2}, "seeds": {1, 3}})
    data = json.loads(compare_runs([str(tmp_path / "a"), str(tmp_path / "b")], str(tmp_path / "out"))[2].read_text())
    assert list(data["sets"][0]["systems"]) == ["a: base", "a: seeds", "b: base", "b: seeds"]


def test_runs_of_one_name_are_told_apart_by_the_folder_above(tmp_path: Path):
    make_run(tmp_path / "x" / "run", {"base": set(), "seeds": {1}})
    make_run(tmp_path / "y" / "run", {"base": set(), "seeds": {2}})
    paths = compare_runs([str(tmp_path / "x" / "run"), str(tmp_path / "y" / "run")], str(tmp_path / "out"))
    assert json.loads(paths[2].read_text())["runs"] == ["x/run", "y/run"]


def test_where_runs_share_some_examples_those_are_compared_and_the_page_says_so(tmp_path: Path):
    make_run(tmp_path / "a", {"base": set(), "seeds": {0, 1, 15}})
    make_run(tmp_path / "b", {"base": set(), "seeds": {0}}, examples_of(number=4))
    html, markdown, data = (
        path.read_text() for path in compare_runs([str(tmp_path / "a"), str(tmp_path / "b")], str(tmp_path / "out"))
    )
    for text in (html, markdown):
        assert "Test tasks: compared on the 8 examples that all runs answered (a 16, b 8)" in text
    assert json.loads(data)["sets"][0]["num_examples"] == 8


def graded(run: Path, lm: str, shares: tuple[int, int]) -> None:
    """Leave a judge's grades of base and seeds in a run and write its report again."""
    report = json.loads((run / "report.json").read_text())
    levels = [[grade, shares[grade == "D"] if grade in "AD" else 0, 0.0] for grade in "ABCD"]
    figure = {"value": 62.5, "low": 30.0, "high": 86.0, "n": 8}
    grades = [
        {"system": s, "total": 8, "levels": levels, "unreadable": 0, "acceptable": figure} for s in ("base", "seeds")
    ]
    report["judge"] = {
        "lm": lm,
        "set": "tasks",
        "prompts": [["rating", "x", "ab"]],
        "grades": grades,
        "outdated": ["base"],
    }
    report["funnel"] = {"instructions": {"kept": 3, "too_similar": 9}}
    write_json(run / "report.json", report)


@pytest.mark.parametrize(("other", "differ"), [("referee@1", False), ("referee@2", True)])
def test_grades_stand_side_by_side_and_of_two_judges_are_called_so(tmp_path: Path, other: str, differ: bool):
    for name, lm in (("a", "referee@1"), ("b", other), ("c", None)):
        make_run(tmp_path / name, {"base": set(), "seeds": {1}})
        if lm:
            graded(tmp_path / name, lm, (5, 3))
    html, markdown, _ = (
        path.read_text() for path in compare_runs([str(tmp_path / name) for name in "abc"], str(tmp_path / "out"))
    )
    for text in (html, markdown):
        assert ("Not to be compared: the runs were graded with different judges." in text) is differ
        assert "c has no such grades." in text and "b: seeds" in text and "3 of 12" in re.sub("<[^>]*>", "", text)
        assert "a: these grades are of other answers than those compared above: base." in text
    assert "| a: seeds | 5 (0 %) | 0 (0 %) | 0 (0 %) | 3 (0 %) | 62.5 % [30.0, 86.0] |" in markdown


def test_runs_that_score_alike_are_called_so(tmp_path: Path):
    for name in "ab":
        make_run(tmp_path / name, {"base": set(), "seeds": {1, 2}})
    html = compare_runs([str(tmp_path / "a"), str(tmp_path / "b")], str(tmp_path / "out"))[0].read_text()
    assert "b: seeds and a: seeds score alike on every example." in html


def test_only_settings_that_differ_are_listed():
    configs = {
        "a": {"run_dir": "a", "seed": 1, "x": {"y": 2, "z": {}, "w": None}},
        "b": {"run_dir": "b", "seed": 1, "x": {"y": 3}},
    }
    assert differing_settings(configs) == [
        {"setting": "x.y", "values": ["2", "3"]},
        {"setting": "x.w", "values": ["None", "not set"]},
    ]


def test_what_cannot_be_compared_is_refused_in_one_line(tmp_path: Path):
    make_run(tmp_path / "a", {"base": set(), "seeds": {1}})
    make_run(tmp_path / "b", {"base": set(), "seeds": {1}}, examples_of("other"))
    (tmp_path / "nothing").mkdir()
    (tmp_path / "trained" / "model").mkdir(parents=True)
    make_run(tmp_path / "old", {"base": set(), "seeds": {1}})
    (tmp_path / "old" / "report.json").unlink()
    make_run(tmp_path / "broken", {"base": set(), "seeds": {1}})
    (tmp_path / "broken" / "report.json").write_text('{"sets": [{}]}')
    make_run(tmp_path / "part", {"base": set(), "seeds": {1}})
    report = json.loads((tmp_path / "part" / "report.json").read_text())
    write_json(tmp_path / "part" / "report.json", {key: value for key, value in report.items() if key != "costs"})
    for other, message in {
        "part": r"not as `selfinstruct eval` writes it \(KeyError\('costs'\)\)",
        "b": "evaluated on different tasks",
        "a/../a": "the same folder is named twice",
        "absent": "no such folder",
        "nothing": "no run",
        "trained": "this run is not evaluated; run `selfinstruct eval`",
        "old": "no report.json",
        "broken": "not as `selfinstruct eval` writes it",
    }.items():
        with pytest.raises(ValueError, match=message) as caught:
            compare_runs([str(tmp_path / "a"), str(tmp_path / other)], str(tmp_path / "out"))
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="needs two or more"):
        compare_runs([str(tmp_path / "a")], str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_the_command_prints_the_pages_and_ends_with_2_on_an_error(tmp_path: Path):
    for name in "ab":
        make_run(tmp_path / name, {"base": set(), "seeds": {1}})
    command = ["compare", "--out", tmp_path / "out"]
    done = run_cli(*command, tmp_path / "a", tmp_path / "b")
    assert done.returncode == 0, done.stderr
    assert [Path(line).name for line in done.stdout.split()] == ["compared.html", "compared.md", "compared.json"]
    failed = run_cli(*command, tmp_path / "a")
    assert failed.returncode == 2 and failed.stderr.startswith("error: 1 run given") and len(failed.stderr) < 200


def test_a_run_of_an_older_version_is_compared_by_the_present_names_of_settings():
    configs = {"old": {"train": {"held_out": 0, "epochs": 2}}, "new": {"train": {"validation_rows": 0, "epochs": 3}}}
    assert [row["setting"] for row in differing_settings(configs)] == ["train.epochs"]
