"""Evaluation data for the gate: all instances, every format, and one line when something is missing."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from selfinstruct_eval.evaluation_data import open_evaluation_data
from selfinstruct_train.config import Config, ContaminationConfig, EvalConfig, GenerateConfig
from selfinstruct_train.core.records import EvaluationExample
from tests.support.paths import SHARED


def config(*sets: str, action: str = "block", **evaluation: object) -> Config:
    contamination = ContaminationConfig(action=action, sets=sets or ("eval",))  # type: ignore[arg-type]
    return Config(generate=GenerateConfig(contamination=contamination), eval=EvalConfig(**evaluation))  # type: ignore[arg-type]


def write_folder(root: Path, num_instances: int) -> None:
    (root / "splits/default").mkdir(parents=True)
    (root / "splits/default/test_tasks.txt").write_text("task1\n")
    (root / "tasks").mkdir()
    instances: list[object] = [{"id": f"i{i}", "input": f"in {i}", "output": ["out"]} for i in range(num_instances)]
    instances += [{"input": None}, "no object", {"input": "no id", "output": []}]
    task = {"Definition": ["Do it. "], "Categories": ["c"], "Instances": instances}
    (root / "tasks/task1.json").write_text(json.dumps(task))


def test_all_instances_are_held_out_and_not_only_those_that_are_evaluated(tmp_path):
    write_folder(tmp_path, 130)
    data = open_evaluation_data(config(tasks=str(tmp_path), max_instances_per_task=100))
    examples = list(data)
    assert len(examples) == 131
    assert examples[0] == EvaluationExample("eval.tasks", "i0", "Do it.", "in 0", ("out",))
    assert examples[130] == EvaluationExample("eval.tasks", "task1-132", "Do it.", "no id", ())
    assert list(data) == examples


def test_the_tiny_run_holds_out_both_its_sets():
    sets = Counter(e.set for e in open_evaluation_data(config(user_oriented="builtin:tiny")))
    assert sets == {"eval.tasks": 1400, "eval.user_oriented": 52}


def test_named_sets_are_read_in_each_format(tmp_path):
    write_folder(tmp_path / "ni", 100)
    user = {"id": "u0", "instruction": "Ask.", "instances": [{"input": "", "output": "a"}]}
    (tmp_path / "user.jsonl").write_text(json.dumps(user) + "\n")
    (tmp_path / "rows.jsonl").write_text(json.dumps({"instruction": "Tell.", "input": "i", "output": "o"}) + "\n")
    names = [str(tmp_path / name) for name in ("ni", "user.jsonl", "rows.jsonl")]
    examples = list(open_evaluation_data(config(*names)))
    assert Counter(e.set for e in examples) == {names[0]: 101, names[1]: 1, names[2]: 1}
    assert examples[-2:] == [
        EvaluationExample(names[1], "u0", "Ask.", "", ("a",)),
        EvaluationExample(names[2], f"{names[2]}:1", "Tell.", "i", ("o",)),
    ]


def test_all_instances_of_an_archive_are_held_out(tmp_path):
    write_folder(tmp_path / "ni", 130)
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "ni")
    named = list(open_evaluation_data(config(archive, tasks="nowhere")))
    assert len(named) == 131
    assert named[0] == EvaluationExample(archive, "i0", "Do it.", "in 0", ("out",))
    evaluated = list(open_evaluation_data(config(tasks=archive, encoding="tk_instruct", max_instances_per_task=2)))
    assert [e.input for e in evaluated] == [e.input for e in named]


def test_a_gate_that_is_off_or_has_no_sets_reads_nothing():
    assert list(open_evaluation_data(config(action="off", tasks="nowhere"))) == []
    nothing = GenerateConfig(contamination=ContaminationConfig(sets=()))
    assert list(open_evaluation_data(Config(generate=nothing, eval=EvalConfig(tasks="nowhere")))) == []


@pytest.mark.parametrize(
    ("named", "evaluation", "message"),
    [
        ("eval", {"tasks": "nowhere"}, r"nowhere: no such folder"),
        ("eval", {"user_oriented": "nowhere.jsonl"}, r"nowhere\.jsonl: no such file"),
        ("nowhere", {}, r"nowhere: no such file or folder"),
        ("README.md", {}, r"README\.md: \.md suffix"),
    ],
)
def test_what_is_missing_is_one_line_with_the_remedy(named, evaluation, message):
    with pytest.raises(ValueError, match=message) as caught:
        open_evaluation_data(config(named, **evaluation))
    assert "\n" not in str(caught.value)
    assert f"generate.contamination.sets names {named!r}" in str(caught.value)
    assert "--generate.contamination.action off" in str(caught.value)


def test_one_official_seed_instruction_is_one_of_the_252():
    if not SHARED.is_dir():
        pytest.skip("../shared/data is absent: real material is not part of the repository")
    from selfinstruct_train.core.records import Row
    from selfinstruct_train.generate.contamination import find_overlaps
    from selfinstruct_train.generate.seeds import read_seed_tasks

    path = str(SHARED / "official/human_eval/user_oriented_instructions.jsonl")
    seeds = read_seed_tasks(SHARED / "official/seed_tasks.jsonl")
    rows = [Row(t.id, t.instruction, p.input, p.output) for t in seeds for p in t.instances]
    found = find_overlaps(rows, open_evaluation_data(config(path)), ContaminationConfig(rouge_l_threshold=1.0))
    # paper: the seeds share one instruction with the 252
    assert [(row.instruction, o.rule) for row, o in zip(rows, found, strict=True) if o] == [
        ("Answer the following question.", "equal")
    ]
