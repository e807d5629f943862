import pytest

from selfinstruct_eval.examples import Example, ExampleSet
from selfinstruct_eval.scores import evaluate_predictions, summary, to_json


def example(id: str, task: str, category: str, distance: str = "") -> Example:
    return Example(id, task, category, "Do.", "", ("cow",), distance)


EXAMPLES = [
    example("0", "t1", "animals", "near"),
    example("1", "t1", "animals", "near"),
    example("2", "t2", "animals", "far"),
    example("3", "t3", "foods", "far"),
]
PREDICTIONS = {
    "base": ["x", "x", "x", "cow"],
    "base, cut": ["cow", "x", "x", "cow"],
    "seeds": ["cow", "x", "cow", "cow"],
    "seeds+generated": ["cow", "cow", "cow", "cow"],
}


def evaluated(**changes):
    tasks = ExampleSet("tasks", "here", EXAMPLES)
    return evaluate_predictions(tasks, {**PREDICTIONS, **changes}, seed=42, bootstrap_samples=200)


def test_scores_are_given_overall_and_by_distance_category_and_task():
    e = evaluated()
    assert e.find("base").value == 25.0
    assert e.find("base, cut").value == 50.0
    assert e.find("seeds", kind="distance", group="near").value == 50.0
    assert e.find("seeds", kind="distance", group="far").value == 100.0
    assert e.find("base", kind="category", group="animals").value == 0.0
    assert e.find("base", "exact_match", kind="task", group="t3").value == 100.0
    assert e.find("base", kind="category", group="animals").n == 3
    with pytest.raises(KeyError):
        e.find("base", group="nowhere")


def test_each_trained_system_is_compared_with_both_bases_and_the_last_with_the_one_before():
    e = evaluated()
    pairs = dict.fromkeys((s.system, s.against) for s in e.scores if s.against)
    assert list(pairs) == [
        ("seeds", "base"),
        ("seeds", "base, cut"),
        ("seeds+generated", "base"),
        ("seeds+generated", "base, cut"),
        ("seeds+generated", "seeds"),
    ]
    assert e.find("seeds+generated", against="base").value == 75.0
    assert e.find("seeds+generated", against="base, cut").value == 50.0
    assert e.find("seeds+generated", against="seeds").value == 25.0
    assert e.find("seeds", against="base", kind="category", group="foods").value == 0.0


def test_every_value_lies_within_its_interval():
    e = evaluated()
    assert len(e.scores) == (4 + 5) * 3 * (1 + 2 + 2 + 3)  # columns, metrics, groups
    assert all(s.score.low <= s.score.value <= s.score.high for s in e.scores)


def test_the_same_seed_gives_the_same_scores_and_another_system_does_not_move_them():
    assert evaluated().scores == evaluated().scores
    alone = evaluate_predictions(ExampleSet("tasks", "here", EXAMPLES), {"base": PREDICTIONS["base"]}, 42, 200)
    assert alone.find("base") == evaluated().find("base")


def test_groups_without_a_name_and_tasks_of_one_example_are_left_out():
    each = [Example(str(i), f"u{i}", "", "Do.", "", ("cow",)) for i in range(3)]
    e = evaluate_predictions(ExampleSet("user_oriented", "here", each), {"base": ["cow", "x", "x"]}, 42, 100)
    assert {s.kind for s in e.scores} == {"overall"}


def test_the_tuned_system_is_the_last_trained_one():
    assert evaluated().tuned == "seeds+generated"
    assert evaluate_predictions(ExampleSet("tasks", "here", EXAMPLES), {"base": ["x"] * 4}, 42, 100).tuned is None


def test_the_summary_has_three_lines():
    lines = summary(evaluated())
    assert len(lines) == 3
    assert lines[0].startswith("base     25.0 ROUGE-L  (95 % interval ")
    # Wilson's interval of 3 tasks of 3, t(2) = 4.303: 3 / (3 + 4.303^2) = 13.9 %
    assert lines[1].startswith("tuned   100.0 ROUGE-L  (95 % interval 13.9 to 100.0)")
    assert lines[2].startswith("gain    +75.0 ROUGE-L  (95 % interval ") and lines[2].endswith("4 examples of 3 tasks")
    untrained = summary(evaluate_predictions(ExampleSet("tasks", "here", EXAMPLES), {"base": ["x"] * 4}, 42, 100))
    assert len(untrained) == 3 and "no trained model" in untrained[1]


def test_scores_json_has_one_flat_row_a_score():
    data = to_json(evaluated())
    assert (data["set"], data["num_examples"], data["num_tasks"]) == ("tasks", 4, 3)
    row = data["scores"][0]
    assert {k: row[k] for k in ("system", "against", "kind", "group", "metric", "value", "n", "num_tasks")} == {
        "system": "base",
        "against": None,
        "kind": "overall",
        "group": "all",
        "metric": "rougeL",
        "value": 25.0,
        "n": 4,
        "num_tasks": 3,
    }
