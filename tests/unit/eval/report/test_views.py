from dataclasses import replace

import pytest

from selfinstruct_eval.comparisons import Comparison
from selfinstruct_eval.examples import Example, ExampleSet
from selfinstruct_eval.report.looks import make_looks
from selfinstruct_eval.report.views import set_view, subject_of
from selfinstruct_eval.scores import Evaluation, evaluate_predictions

KINDS = {"base": "base", "seeds": "trained", "seeds+generated": "trained", "GPT3": "published"}


def compared(system: str, against: str, value: float, verdict: str, p: float) -> Comparison:
    return Comparison(system, against, "rougeL", value, value - 2, value + 2, p / 2, p, 3.5, verdict)


def evaluate(*comparisons: Comparison, category: str = "Extraction") -> Evaluation:
    examples = [
        Example(f"{t}-{i}", f"task{t}", category if t else "Other", "Do.", "", ("red cow",))
        for t in range(4)
        for i in range(2)
    ]
    predictions = {"base": ["no"] * 8, "seeds": ["red"] * 8, "seeds+generated": ["red cow"] * 8, "GPT3": ["cow"] * 8}
    evaluation = evaluate_predictions(ExampleSet("tasks", "here", examples), predictions, 1, 50, KINDS)
    return replace(evaluation, comparisons=comparisons)


def headline(*comparisons: Comparison) -> list[str]:
    return set_view(evaluate(*comparisons), make_looks(KINDS), "seeds+generated")["headline"]


def test_a_gain_beyond_chance_is_told_with_its_corrected_p():
    told = headline(
        compared("seeds+generated", "base", 9.0, "better", 0.0004),
        compared("seeds+generated", "seeds", 4.0, "better", 0.012),
    )
    assert told == [
        "Tuned on seeds + generated is better than base on the test tasks, +9.0 ROUGE-L points (+7.0 to +11.0): "
        "more than chance (p < 0.001, corrected for 2 comparisons).",
        "It is better than tuning on the seed tasks alone, +4.0 (+2.0 to +6.0).",
    ]


def test_a_gain_that_may_be_chance_is_called_so_with_what_could_have_been_seen():
    told = headline(
        compared("seeds+generated", "base", 1.0, "cannot be told apart", 0.31),
        compared("seeds+generated", "seeds", -3.0, "worse", 0.04),
    )
    assert told == [
        "Tuned on seeds + generated and base cannot be told apart on the test tasks: +1.0 ROUGE-L points "
        "(−1.0 to +3.0) may be chance (p = 0.31, corrected for 2 comparisons); a true difference of 3.5 points would "  # noqa: RUF001
        "show in four of five such evaluations.",
        "It is worse than tuning on the seed tasks alone, −3.0 (−5.0 to −1.0).",  # noqa: RUF001
    ]


def test_pairs_are_told_from_the_subject_s_side_and_stand_on_one_axis():
    view = set_view(
        evaluate(
            compared("GPT3", "seeds+generated", 6.0, "better", 0.01), compared("GPT3", "base", 8.0, "better", 0.01)
        ),
        make_looks(KINDS),
        "seeds+generated",
    )
    (one,) = view["comparisons"]
    assert (one["system"], one["against"], one["value"], one["low"], one["high"]) == (
        "seeds+generated",
        "GPT3",
        -6,
        -8,
        -4,
    )
    assert one["verdict"] == "worse"
    assert [c["system"] for c in view["other_comparisons"]] == ["GPT3"]
    at = one["at"]  # from -8 to 1, with 3 % of the room on both sides
    assert (round(at["low"], 1), round(at["value"], 1), round(at["zero"], 1)) == (2.8, 23.8, 86.7)


def test_each_category_is_shown_in_its_own_metric():
    view = set_view(evaluate(category="Textual Entailment"), make_looks(KINDS), "seeds+generated")
    metrics = {table["group"]: table["metric"] for table in view["categories"]}
    assert metrics == {"Textual Entailment": "exact_match", "Other": "rougeL"}
    table = next(t for t in view["categories"] if t["metric"] == "exact_match")
    assert {s: score.value for s, score in table["compared"]} == {
        "base": 0,
        "seeds": 0,
        "seeds+generated": 100,
        "GPT3": 0,
    }


@pytest.mark.parametrize(("num_tasks", "num_examples"), [(20, 1), (1, 20)])
def test_a_gain_may_be_coloured_from_twenty_tasks_or_examples_of_one_task_on(num_tasks, num_examples):
    names = [(f"task{t}", i) for t in range(num_tasks) for i in range(num_examples)]
    examples = [Example(f"{t}-{i}", t, "Extraction", "Do.", "", ("red cow",)) for t, i in names]
    for kept, enough in ((examples, True), (examples[1:], False)):
        predictions = {"base": ["no"] * len(kept), "seeds": ["red cow"] * len(kept)}
        evaluation = evaluate_predictions(
            ExampleSet("tasks", "here", kept), predictions, 1, 50, {"base": "base", "seeds": "trained"}
        )
        table = set_view(evaluation, make_looks(KINDS), "seeds")["overall"]
        assert table["enough"] is enough and table["gain"].low > 0


def test_the_last_trained_system_stands_for_the_run_else_the_last_further_model():
    assert subject_of(evaluate()) == "seeds+generated"
    examples = [Example("a", "t", "c", "Do.", "", ("x",))]
    arms = evaluate_predictions(
        ExampleSet("tasks", "", examples),
        {"base": ["x"], "40": ["x"], "80": ["x"]},
        1,
        10,
        {"40": "other", "80": "other"},
    )
    assert subject_of(arms) == "80"
    assert subject_of(evaluate_predictions(ExampleSet("tasks", "", examples), {"base": ["x"]}, 1, 10)) is None


def test_own_systems_keep_their_colours_and_published_ones_are_quiet():
    look = make_looks({**KINDS, "arm": "other", "arm 2": "other"})
    assert [look(s).color for s in ("base", "seeds", "seeds+generated", "arm", "arm 2")] == [
        "s-base",
        "s-seeds",
        "s-tuned",
        "s-1",
        "s-2",
    ]
    assert look("GPT3").color == look("unheard of").color == "s-published" and look("unheard of").label == "unheard of"
