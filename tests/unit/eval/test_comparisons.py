"""Which systems can be told apart, on small cases worked out by hand and on the published answers."""

from pathlib import Path

import numpy as np
import pytest

from selfinstruct_eval.comparisons import compare_all, holm
from selfinstruct_eval.examples import Example, ExampleSet
from selfinstruct_eval.external import read_predictions
from selfinstruct_eval.scores import evaluate_predictions, to_json
from selfinstruct_eval.tasks import load_user_oriented


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def scores(*rouge_l: float) -> np.ndarray:
    """The same in every metric: ROUGE-L, ROUGE-1, exact match."""
    return np.repeat(np.array(rouge_l, dtype=np.float64)[:, None], 3, axis=1)


def test_holm_steps_down_from_the_smallest():
    # 3 * 0.01, 2 * 0.02 = 0.04, 1 * 0.03 but no less than the one before
    assert holm([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_every_system_is_compared_with_each_before_it():
    tasks = [str(i) for i in range(40)]
    noise = np.random.default_rng(1).normal(0, 3, 40)
    systems = {"a": scores(*(50 + noise)), "b": scores(*(50 + noise[::-1])), "c": scores(*(60 - noise))}
    found = compare_all(systems, tasks, rng())
    assert [(c.system, c.against) for c in found if c.metric == "rougeL"] == [("b", "a"), ("c", "a"), ("c", "b")]
    assert [c.verdict for c in found[:3]] == ["cannot be told apart", "better", "better"]
    assert found[0].value == pytest.approx(0) and found[1].value == pytest.approx(10 - 2 * noise.mean())
    assert compare_all({"c": systems["c"], "a": systems["a"]}, tasks, rng())[0].verdict == "worse"
    assert compare_all({"a": systems["a"]}, tasks, rng()) == ()


def test_a_lead_that_is_beyond_chance_alone_may_not_be_so_among_many_pairs():
    # a standard error of 1 over 100 tasks: a lead of 2.2 has p = 0.03 alone, times 55 pairs of 11 systems over 1
    tasks = [str(i) for i in range(100)]
    half = np.random.default_rng(2).normal(0, 1, 50)
    noise = np.concatenate([half, -half]) * 10 / np.std(half)
    base = np.full(100, 40.0)
    lead = scores(*(base + 2.2 + noise))
    (alone,) = [c for c in compare_all({"base": scores(*base), "tuned": lead}, tasks, rng()) if c.metric == "rougeL"]
    assert alone.verdict == "better" and alone.low > 0 and 0.01 < alone.p == alone.p_adjusted < 0.05
    others = {f"like base {i}": scores(*base) for i in range(9)}
    among = compare_all({"base": scores(*base), "tuned": lead, **others}, tasks, rng())
    pair = next(c for c in among if (c.system, c.against) == ("tuned", "base"))
    assert len(among) == 55 * 3
    assert (pair.p, pair.low, pair.high) == pytest.approx((alone.p, alone.low, alone.high))
    assert pair.p_adjusted > 0.05 and pair.verdict == "cannot be told apart"


def test_published_systems_whose_intervals_overlap_cannot_be_told_apart(shared_data: Path):
    human = shared_data / "official" / "human_eval"
    examples = load_user_oriented(str(human / "user_oriented_instructions.jsonl"))
    names = {"davinci": "GPT3", "davinci-self-instruct": "GPT3-SelfInst", "text-davinci-001": "InstructGPT-001"}
    answers = {
        name: read_predictions(str(human / "predictions" / f"{stem}_predictions.jsonl"), {"user_oriented": examples})[1]
        for stem, name in names.items()
    }
    tasks = ExampleSet("user_oriented", "", examples)
    e = evaluate_predictions(tasks, answers, 42, kinds=dict.fromkeys(answers, "published"))
    found = {s: e.find(s) for s in answers}
    assert {s: round(score.value, 4) for s, score in found.items()} == {
        "GPT3": 2.8252,
        "GPT3-SelfInst": 28.1317,
        "InstructGPT-001": 29.0001,
    }
    # percentile intervals of the same answers: 24.3 to 32.2 and 25.4 to 32.7
    assert (found["GPT3-SelfInst"].low, found["GPT3-SelfInst"].high) == pytest.approx((24.3, 32.2), abs=0.3)
    assert (found["InstructGPT-001"].low, found["InstructGPT-001"].high) == pytest.approx((25.4, 32.7), abs=0.3)
    assert e.compare("InstructGPT-001", "GPT3-SelfInst").verdict == "cannot be told apart"
    assert e.compare("GPT3-SelfInst", "GPT3").verdict == "better"
    assert {s.kind for s in e.scores} == {"overall", "category"} and not any(s.against for s in e.scores)
    assert e.find("GPT3", kind="category", group="Grammarly").n > 1


def test_scores_json_has_the_systems_and_every_pair():
    systems = {"base": ["x"], "base, cut": ["x"], "seeds": ["cow"], "other": ["cow"]}
    examples = [Example(str(i), f"t{i}", "Textual Entailment", "Do.", "", ("cow",)) for i in range(10)]
    answers = {name: texts * 10 for name, texts in systems.items()}
    e = evaluate_predictions(ExampleSet("tasks", "here", examples), answers, 1, 100, kinds={"other": "other"})
    data = to_json(e)
    marks = {name: system.pop("answers") for name, system in data["systems"].items()}
    assert marks["base"] == marks["base, cut"] != marks["seeds"] == marks["other"]  # who says the same has the same
    assert data["systems"]["base"] == {"kind": "base"}
    assert data["systems"]["other"] == {"kind": "other"}
    assert data["category_metrics"] == {"Textual Entailment": "exact_match"}
    pairs = [(c["system"], c["against"]) for c in data["comparisons"] if c["metric"] == "exact_match"]
    assert pairs == [("seeds", "base"), ("other", "base"), ("other", "seeds")]
    first = data["comparisons"][0]
    # right in all of 10 tasks where the other is wrong: 3.162 = sqrt(10) by Student's t(9); Holm: times 3 pairs
    assert (first["p"], first["p_adjusted"]) == pytest.approx((0.01151, 0.03452), abs=1e-5)
    assert first["verdict"] == "better"
    assert set(first) == {
        "system", "against", "metric", "value", "low", "high", "p", "p_adjusted", "minimum_detectable", "verdict",
    }  # fmt: skip
