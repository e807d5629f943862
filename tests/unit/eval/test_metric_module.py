"""The module for Hugging Face `evaluate`: it loads from its folder without a network and scores as we do."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import selfinstruct_eval
from selfinstruct_eval.external import read_predictions
from selfinstruct_eval.metrics import score_predictions
from selfinstruct_eval.tasks import load_user_oriented
from selfinstruct_train.core.model_source import model_source

FRESH = """
import json, sys, evaluate, selfinstruct_eval
rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
metric = evaluate.load(selfinstruct_eval.METRIC)
print(json.dumps(metric.compute(predictions=[r[0] for r in rows], references=[r[1] for r in rows])))
"""


@pytest.fixture(scope="module")
def metric() -> Any:
    import evaluate

    return evaluate.load(selfinstruct_eval.METRIC)


def published(shared_data: Path, system: str) -> tuple[list[str], list[list[str]]]:
    human = shared_data / "official" / "human_eval"
    examples = load_user_oriented(str(human / "user_oriented_instructions.jsonl"))
    file = human / "predictions" / f"{system}_predictions.jsonl"
    _, texts = read_predictions(str(file), {"user_oriented": examples})
    return texts, [list(e.references) for e in examples]


@pytest.mark.parametrize(
    ("system", "rouge_l", "exact_match"),
    [("davinci", 2.8252, 0.0), ("davinci-self-instruct", 28.1317, 9.127), ("text-davinci-001", 29.0001, 8.3333)],
)
def test_published_predictions_score_as_by_the_released_scorer(
    shared_data: Path, metric: Any, system: str, rouge_l: float, exact_match: float
):
    predictions, references = published(shared_data, system)
    found = metric.compute(predictions=predictions, references=references)
    assert (found["rougeL"], found["exact_match"]) == (rouge_l, exact_match)
    assert found == score_predictions(predictions, references)


def test_a_fresh_process_without_a_network_loads_it_from_its_folder(tmp_path: Path):
    rows = [["a cat", ["the cat", "cats"]], ["Dog.", ["dog"]], ["", ["x"]]]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    env = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", FRESH, file], capture_output=True, text=True, cwd="/", env=env)
    assert done.returncode == 0, done.stderr
    # "a cat" has one of the two words of "the cat", both of its one of "cats" (stemmed): 2/3; then 1; then 0
    assert json.loads(done.stdout) == {"rougeL": 55.5556, "rouge1": 55.5556, "exact_match": 33.3333}


def test_references_may_be_texts(metric: Any):
    found = metric.compute(predictions=["a b", "c"], references=["a x", "c"])
    assert found == {"rougeL": 75.0, "rouge1": 75.0, "exact_match": 50.0}


def test_another_tokenizer_scores_what_is_not_english(metric: Any):
    rows = {"predictions": ["ананас", "кот"], "references": ["ананас", "дом"]}
    assert metric.compute(**rows)["rougeL"] == 0.0
    found = metric.compute(**rows, tokenizer=model_source("builtin:tiny"))["rougeL"]
    assert found >= 50.0 and found < 100.0


def test_groups_are_scored_apart_in_their_order(metric: Any):
    found = metric.compute(predictions=["b", "x", "c"], references=["b", "a", "c"], groups=["late", "early", "early"])
    assert found["exact_match"] == 66.6667
    assert list(found["groups"].items()) == [
        ("late", {"rougeL": 100.0, "rouge1": 100.0, "exact_match": 100.0, "n": 1}),
        ("early", {"rougeL": 50.0, "rouge1": 50.0, "exact_match": 50.0, "n": 2}),
    ]


def test_intervals_are_wider_where_the_instances_of_a_task_hang_together(metric: Any):
    predictions = ["a"] * 20 + ["b"] * 20
    references = ["a"] * 40
    together = metric.compute(
        predictions=predictions, references=references, clusters=[f"task{i // 10}" for i in range(40)]
    )
    apart = metric.compute(predictions=predictions, references=references, clusters=[str(i) for i in range(40)])
    wide, narrow = together["intervals"]["rougeL"], apart["intervals"]["rougeL"]
    assert (wide["low"], wide["high"]) == (0.0, 100.0)  # of four tasks two are all right, two all wrong
    assert 30 < narrow["low"] < 38 and 62 < narrow["high"] < 70  # 50 -+ about 2 x 50 / sqrt(40)


def test_each_group_has_the_intervals_that_it_would_have_with_its_rows_alone(metric: Any):
    texts = ["a"] * 20 + ["b"] * 20
    groups, tasks = ["all right"] * 10 + ["mixed"] * 30, [str(i) for i in range(40)]
    both = metric.compute(predictions=texts, references=["a"] * 40, groups=groups, clusters=tasks)
    right, mixed = (both["groups"][name]["intervals"] for name in ("all right", "mixed"))
    # Wilson's lower end for 10 of 10, by Student's t(9): 10 / (10 + 2.2622 ** 2) = 66.15 %
    assert (right["exact_match"]["low"], right["exact_match"]["high"]) == (pytest.approx(66.15, abs=0.01), 100.0)
    assert 15 < mixed["rougeL"]["low"] < 21 and 49 < mixed["rougeL"]["high"] < 54  # 33.3 -+ about 2 x 47 / sqrt(30)
    alone = metric.compute(predictions=texts[10:], references=["a"] * 30, groups=groups[10:], clusters=tasks[10:])
    assert alone["groups"]["mixed"] == both["groups"]["mixed"]
    assert both["intervals"] == metric.compute(predictions=texts, references=["a"] * 40, clusters=tasks)["intervals"]


def test_the_same_call_gives_the_same_intervals_and_another_seed_others(metric: Any):
    texts = [chr(97 + i % 26) for i in range(60)]
    rows = {"predictions": texts, "references": ["a", "b", "c"] * 20, "clusters": [str(i // 3) for i in range(60)]}
    first = metric.compute(**rows)
    assert metric.compute(**rows) == first
    assert metric.compute(**rows, seed=1)["intervals"] != first["intervals"]


def test_batches_add_up(metric: Any):
    metric.add_batch(predictions=["a"], references=[["a", "b"]])
    metric.add_batch(predictions=["b"], references=[["a"]])
    assert metric.compute()["exact_match"] == 50.0


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"predictions": [], "references": []}, "there are no predictions to score"),
        ({"predictions": ["a"], "references": ["a", "b"]}, "1 predictions, but references for 2; one entry for each"),
        ({"predictions": ["a", None], "references": ["a", "b"]}, r"predictions\[1\] is None; it must be a text"),
        ({"predictions": ["a"], "references": [[]]}, r"references\[0\] is \[\]; it must be a list with at least one"),
        ({"predictions": ["a"], "references": [[3]]}, r"references\[0\] is \[3\]; it must be a list with at least one"),
        ({"predictions": ["a", "b"], "references": ["a", ["b"]]}, r"references\[1\] is \['b'\]; all must be texts"),
        ({"predictions": "a", "references": ["a"]}, "predictions is 'a'; it must be a list with one entry"),
        ({"predictions": ["a"], "references": ["a"], "groups": ["x", "y"]}, "groups is 2 names for 1 predictions"),
        ({"predictions": ["a"], "references": ["a"], "clusters": "x"}, "clusters is one text for 1 predictions"),
        ({"predictions": ["a"], "references": ["a"], "bootstrap_samples": 0}, "bootstrap_samples is 0; it must be at"),
    ],
)
def test_bad_input_is_one_clear_line_and_spoils_nothing(metric: Any, inputs: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message) as caught:
        metric.compute(**inputs)
    assert "\n" not in str(caught.value)
    assert metric.compute(predictions=["a"], references=["a"])["rougeL"] == 100.0
