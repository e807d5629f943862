"""What is asked and what is not: blind, in both orders, nothing twice, never a stale verdict."""

import json
from dataclasses import replace

import pytest

from selfinstruct_eval.examples import ExampleSet
from selfinstruct_eval.judge.judging import judge, prepare_judging
from selfinstruct_eval.judge.results import summarise, table, write_results
from selfinstruct_eval.people.items import load_work
from selfinstruct_eval.people.ratings import GRADE, Click, answer_fingerprint, append_clicks, folder_of
from selfinstruct_eval.predict import fingerprint_answers, read_answers
from selfinstruct_eval.scores import evaluate_predictions, to_json
from selfinstruct_eval.tasks import load_sets
from selfinstruct_train.config import (
    AnnotateConfig,
    BudgetConfig,
    Config,
    EvalConfig,
    JudgeConfig,
    ModelConfig,
    Price,
    TrainConfig,
)
from selfinstruct_train.core.journal import read_header
from selfinstruct_train.core.records import BudgetReachedError, Sampling
from tests.support.judges import RuleLM, answers_of, knows_the_references, shown


def config_of(run_dir, **settings) -> Config:
    return Config(
        run_dir=str(run_dir),
        train=TrainConfig(mixtures=("seeds", "seeds+generated")),
        eval=EvalConfig(user_oriented="builtin:tiny", bootstrap_samples=50),
        judge=JudgeConfig(**{"model": ModelConfig("judge"), **settings}),
    )


def test_every_answer_is_graded_and_every_pair_asked_in_both_orders_and_equal_texts_once(run_with_answers):
    lm = RuleLM(knows_the_references)
    plan = prepare_judging(config_of(run_with_answers))
    judged = judge(plan, lm)
    assert list(plan.answers) == ["base", "seeds", "seeds+generated"]
    assert {name: len(rows) for name, rows in judged.gradings.items()} == dict.fromkeys(plan.answers, 52)
    assert {name: len(rows) for name, rows in judged.pairs.items()} == {"seeds": 52, "seeds+generated": 52}
    texts = {(e.id, a) for answers in plan.answers.values() for e, a in zip(plan.examples, answers, strict=True)}
    pairs = {
        (e.id, frozenset((a, b)))
        for name in ("seeds", "seeds+generated")
        for e, a, b in zip(plan.examples, plan.answers[name], plan.against, strict=True)
        if a != b
    }
    assert len(texts) < 156 and len(pairs) < 104
    assert len(lm.asked) == len(texts) + 2 * len(pairs) == len({r.prompt for r in lm.asked})
    orders = [(shown(r.prompt, "Answer 1"), shown(r.prompt, "Answer 2")) for r in lm.asked if "Answer 2" in r.prompt]
    assert sorted(orders) == sorted((b, a) for a, b in orders)


def test_no_prompt_names_a_system(run_with_answers):
    lm = RuleLM(knows_the_references)
    judge(prepare_judging(config_of(run_with_answers)), lm)
    for request in lm.asked:
        assert "seeds" not in request.prompt and "generated" not in request.prompt
        assert "base" not in request.prompt.split("=== Instruction ===")[0]
        assert request.chat


def test_stopped_at_any_moment_nothing_is_asked_twice(run_with_answers):
    plan = prepare_judging(config_of(run_with_answers))
    whole = RuleLM(knows_the_references)
    asked = []
    for dies_at in (1, 100, 150, None):
        lm = RuleLM(knows_the_references, dies_at)
        if dies_at is None:
            resumed = judge(plan, lm)
        else:
            with pytest.raises(KeyboardInterrupt):
                judge(plan, lm)
        asked += [r.id for r in lm.asked]
    elsewhere = replace(plan, config=replace(plan.config, run_dir=plan.config.run_dir + "-other"))
    assert judge(elsewhere, whole) == resumed
    assert asked == [r.id for r in whole.asked]


def test_a_changed_answer_is_asked_about_again_and_no_other(run_with_answers, user_examples):
    plan = prepare_judging(config_of(run_with_answers))
    judge(plan, RuleLM(knows_the_references))
    texts = list(plan.answers["seeds"])
    assert texts[7] != user_examples[7].references[0]
    texts[7] = user_examples[7].references[0]
    again = RuleLM(knows_the_references)
    judged = judge(replace(plan, answers={**plan.answers, "seeds": tuple(texts)}), again)
    kinds = [r.id.split("-")[0] for r in again.asked]
    assert kinds.count("rating") <= 1 and kinds.count("pairwise") in (0, 2)
    assert judged.gradings["seeds"][7].grade == "A"
    # as it was before: the old verdicts are still there
    back = RuleLM(knows_the_references)
    assert judge(plan, back).gradings["seeds"][7].grade == "D" and back.asked == []


def test_another_judge_or_sampling_has_a_journal_of_its_own(run_with_answers):
    judge(prepare_judging(config_of(run_with_answers)), RuleLM(knows_the_references))
    other = RuleLM(knows_the_references)
    judge(prepare_judging(config_of(run_with_answers, sampling=Sampling(max_new_tokens=200))), other)
    assert len(other.asked) > 200
    journals = sorted((run_with_answers / "journal").glob("judge-rating-*.jsonl"))
    assert len(journals) == 2
    header = read_header(journals[0])
    assert {"stage", "lm", "set", "seed", "chat", "template_sha256", "sampling"} < set(header)


def test_more_examples_keep_those_drawn_before(run_with_answers):
    few = prepare_judging(config_of(run_with_answers, max_examples=10))
    more = prepare_judging(config_of(run_with_answers, max_examples=20))
    assert len(few.examples) == 10 and set(few.examples) < set(more.examples)
    order = [e.id for e in prepare_judging(config_of(run_with_answers)).examples]
    assert [e.id for e in more.examples] == sorted((e.id for e in more.examples), key=order.index)
    for e, text in zip(few.examples, few.answers["seeds"], strict=True):
        assert more.answers["seeds"][more.examples.index(e)] == text


def test_a_judge_of_some_examples_takes_those_that_people_rate_first(run_with_answers):
    config = config_of(run_with_answers, max_examples=12)
    people = load_work(replace(config, annotate=AnnotateConfig(max_examples=10)))
    assert {item.id for item in people.items} < {e.id for e in prepare_judging(config).examples}


def test_the_systems_named_are_judged_and_meet_the_one_named(run_with_answers):
    plan = prepare_judging(config_of(run_with_answers, systems=("seeds+generated",), against="seeds"))
    judged = judge(plan, RuleLM(knows_the_references))
    assert list(judged.gradings) == list(judged.pairs) == ["seeds+generated"]
    assert plan.against == tuple(prepare_judging(config_of(run_with_answers)).answers["seeds"])


def test_one_system_alone_is_graded_and_meets_nobody(run_with_answers):
    plan = prepare_judging(config_of(run_with_answers, systems=("base",)))
    lm = RuleLM(knows_the_references)
    figures = summarise(plan, judge(plan, lm))
    assert len(lm.asked) == 52 and list(figures["rating"]) == ["base"]
    assert figures["pairwise"] == {"against": "base", "systems": {}}
    assert figures["bias"] == {"first": None, "longer": None, "consistency": None, "warnings": []}
    assert table(figures).splitlines()[1].startswith("base ")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": ModelConfig()}, "judge.model.path names no model; give the language model that is to judge"),
        (
            {"systems": ("seed",)},
            "judge.systems: there are no answers of 'seed'; known are 'base', 'base, cut'",
        ),
        ({"against": "GPT3"}, "judge.against: there are no answers of 'GPT3'; known are"),
    ],
)
def test_what_can_be_mended_is_told_before_a_model_is_loaded(run_with_answers, settings, message):
    with pytest.raises(ValueError) as error:
        prepare_judging(config_of(run_with_answers, **settings))
    assert str(error.value).startswith(message)


def test_answers_that_are_not_there_are_one_line(run_with_answers):
    (run_with_answers / "eval/base/user_oriented_predictions.jsonl").unlink()
    with pytest.raises(ValueError, match="run `selfinstruct eval`"):
        prepare_judging(config_of(run_with_answers))


def test_a_judge_without_one_readable_grade_is_refused_before_pairs_are_paid_for(run_with_answers):
    lm = RuleLM(lambda request: "It is a fine answer.")
    with pytest.raises(ValueError, match="none of 156 replies of rule@1 scripted is a grade; the first is 'It"):
        judge(prepare_judging(config_of(run_with_answers)), lm)
    assert all(r.id.startswith("rating-") for r in lm.asked)


def test_a_budget_ends_it_and_more_money_goes_on(run_with_answers):
    config = config_of(run_with_answers)
    small = BudgetConfig(prices={"judge": Price(1.0, 1.0)}, max_tokens=1000)
    lm, rest = RuleLM(knows_the_references), RuleLM(knows_the_references)
    with pytest.raises(BudgetReachedError, match=r"budget\.max_tokens is reached"):
        judge(prepare_judging(replace(config, budget=small)), lm)
    assert 0 < len(lm.asked) < 200
    judge(prepare_judging(replace(config, budget=replace(small, max_tokens=None))), rest)
    assert not {r.id for r in lm.asked} & {r.id for r in rest.asked}


def test_the_files_hold_prompts_judge_and_every_verdict(run_with_answers, user_examples):
    plan = prepare_judging(config_of(run_with_answers))
    judged = judge(plan, RuleLM(lambda r: "hm" if r.seed % 10 == 0 else knows_the_references(r)))
    figures = summarise(plan, judged)
    file, ledger = write_results(plan, judged, figures)
    stored = json.loads(file.read_text())
    assert stored == json.loads(json.dumps(figures))
    assert stored["lm"] == "rule@1 scripted" and stored["judge"]["path"] == "judge"
    assert "{answer}" in stored["prompts"]["rating"] and "{second}" in stored["prompts"]["pairwise"]
    assert len(stored["prompt_sha256"]["rating"]) == 64
    rows = [json.loads(line) for line in ledger.read_text().splitlines()]
    grades = [row for row in rows if row["kind"] == "rating"]
    assert len(rows) == 156 + 104 and len(grades) == 156
    assert {row["reply"] for row in grades if row["grade"] is None} == {"hm"}
    for system, row in stored["rating"].items():
        assert sum(row[key] for key in ("A", "B", "C", "D", "unreadable")) == 52
        assert row["unreadable"] == sum(g["system"] == system and g["grade"] is None for g in grades)
    for row in stored["pairwise"]["systems"].values():
        assert sum(row[key] for key in ("wins", "losses", "ties", "flips", "unreadable")) == 52
        assert row["win_rate"]["n"] == 52 - row["unreadable"]
    pairs = {(c["system"], c["against"]): c for c in stored["comparisons"]}
    assert list(pairs) == [("seeds", "base"), ("seeds+generated", "base"), ("seeds+generated", "seeds")]
    graded = {(row["example_id"], row["system"]): row["grade"] for row in grades if row["grade"]}
    both = [e.id for e in user_examples if {(e.id, "seeds"), (e.id, "base")} <= set(graded)]
    lead = sum((graded[e, "seeds"] in "AB") - (graded[e, "base"] in "AB") for e in both) / len(both)
    assert len(both) < 52 and pairs["seeds", "base"]["value"] == pytest.approx(100 * lead)
    assert any(line.startswith("seeds+generated over seeds: ") for line in table(figures).splitlines())
    (warning,) = [text for text in stored["bias"]["warnings"] if text.startswith("grades that could not be read: ")]
    for system, row in stored["rating"].items():
        assert (f"{100 * row['unreadable'] / 52:.0f} % of {system}" in warning) == (row["unreadable"] / 52 >= 0.05)
    equal = [row for row in rows if row["kind"] == "pairwise" and row["replies"] is None]
    assert equal and {row["outcome"] for row in equal} == {"tie"}


def test_the_file_says_of_which_answers_its_judgements_are(run_with_answers, user_examples):
    config = config_of(run_with_answers, systems=("seeds+generated",), max_examples=3)
    answers = read_answers(config, load_sets(config.eval), "user_oriented")
    plan = prepare_judging(config)
    kept = summarise(plan, judge(plan, RuleLM(knows_the_references)))["answers"]
    # of all of them, not of the three that were drawn; base is met in pairs
    assert kept == {s: fingerprint_answers(user_examples, answers[s]) for s in ("seeds+generated", "base")}
    scored = to_json(evaluate_predictions(ExampleSet("user_oriented", "", user_examples), answers, 1, 20))
    assert all(scored["systems"][system]["answers"] == mark for system, mark in kept.items())


def test_peoples_grades_of_these_answers_calibrate_the_judge(run_with_answers, user_examples):
    plan = prepare_judging(config_of(run_with_answers))
    judged = judge(plan, RuleLM(knows_the_references))
    assert summarise(plan, judged)["calibration"] is None
    clicks = []
    for row in range(25):
        answer = answer_fingerprint(user_examples[row], plan.answers["seeds"][row])
        # people agree with the judge on 20 answers, and call five of its A a B or of its D an A
        theirs = judged.gradings["seeds"][row].grade if row >= 5 else "B" if row % 2 else "A"
        clicks.append(Click(user_examples[row].id, "seeds", answer, GRADE, theirs, "2026-01-01T00:00:00Z"))
    append_clicks(folder_of(run_with_answers, "user_oriented") / "ann.jsonl", clicks)
    calibration = summarise(plan, judged)["calibration"]
    assert calibration["n"] == 25 and calibration["note"] is None
    grades = [(c.value, judged.gradings["seeds"][row].grade) for row, c in enumerate(clicks)]
    for theirs in "ABD":
        for ours in "AD":
            assert calibration["by_grade"][theirs][ours] == grades.count((theirs, ours))
    assert calibration["accuracy"] == 100 * sum((a in "AB") == (b in "AB") for a, b in grades) / 25 < 100
    assert 0.3 < calibration["kappa"] < 1
    # an answer that changed since is not the one they graded, unless another system gave that too
    other = tuple(f"{text}!" for text in plan.answers["seeds"])
    changed = replace(plan, answers={**plan.answers, "seeds": other})
    shared = sum(
        plan.answers["seeds"][row] in (plan.answers["base"][row], plan.answers["seeds+generated"][row])
        for row in range(25)
    )
    figures = summarise(changed, judge(changed, RuleLM(knows_the_references)))
    assert 0 < shared == figures["calibration"]["n"] < 20 and "too few" in figures["calibration"]["note"]


def test_plain_text_serves_a_base_model(make_plan, user_examples):
    plain = lambda request: knows_the_references(request).partition(":")[2] + "\nGrade: A\nmore"  # noqa: E731
    lm = RuleLM(plain)
    answers = {"base": answers_of(user_examples, 2, 3), "seeds": answers_of(user_examples, 9, 3)}
    judged = judge(make_plan(answers, chat=False), lm)
    assert {g.grade for g in judged.gradings["seeds"]} == {"A", "D"}
    assert not any(r.chat for r in lm.asked)
    assert all(pair.outcome != "unreadable" for pair in judged.pairs["seeds"])
