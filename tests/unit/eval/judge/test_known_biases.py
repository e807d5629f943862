"""Judges of known character on the tiny world's tasks: the figures tell who is who."""

from dataclasses import replace

import pytest

from selfinstruct_eval.judge.calibration import calibrate
from selfinstruct_eval.judge.judging import JudgePlan, judge
from selfinstruct_eval.judge.results import summarise, table
from tests.support import judges


def figures_of(plan: JudgePlan, rule) -> dict:
    return summarise(plan, judge(plan, judges.RuleLM(rule)))


def test_always_the_first_flips_every_pair_and_is_named(make_plan):
    figures = figures_of(make_plan(), judges.first_always)
    for row in figures["pairwise"]["systems"].values():
        assert row["flips"] + row["ties"] == 52 and row["flips"] > 40
        assert row["win_rate"]["value"] == row["length_controlled"]["value"] == 50
        assert row["verdict"] == "cannot be told apart"
    assert figures["bias"]["first"]["value"] == 100 and figures["bias"]["consistency"]["value"] == 0
    first, contradiction, grades = figures["bias"]["warnings"]
    assert first.startswith("this judge prefers what it is shown first: 100 % [9")
    assert contradiction.startswith("this judge contradicts itself in the other order: 0 % [0, ")
    assert grades == "this judge gave the grade A to every answer: its grades tell nothing"
    assert "warning: this judge prefers what it is shown first: 100 %" in table(figures)


def test_a_preference_for_length_is_named_and_gone_at_equal_length(make_plan, user_examples):
    answers = judges.world(user_examples)
    wordy = judges.answers_of(user_examples, 2, 8, 5)  # right as seldom as base, padded far more often
    figures = figures_of(make_plan({**answers, "wordy": wordy}), judges.longer_always)
    row = figures["pairwise"]["systems"]["wordy"]
    assert row["win_rate"]["low"] > 60 and row["verdict"] == "better"
    assert abs(row["length_controlled"]["value"] - 50) < 6
    assert row["length_controlled"]["low"] < 50 < row["length_controlled"]["high"]
    assert figures["bias"]["longer"]["value"] == 100 and figures["bias"]["consistency"]["value"] == 100
    (warning,) = figures["bias"]["warnings"]
    assert warning.startswith("this judge prefers the longer answer: 100 %")


def test_where_length_and_system_are_one_there_is_no_figure_at_equal_length(make_plan, user_examples):
    answers = judges.world(user_examples)
    endless = tuple(text.removesuffix(judges.PADDING) + 3 * judges.PADDING for text in answers["base"])
    figures = figures_of(make_plan({**answers, "base": endless}), judges.longer_always)
    row = figures["pairwise"]["systems"]["seeds"]
    assert (row["win_rate"]["value"], row["length_controlled"]) == (0, None)
    assert row["length_note"] == "its answers are nearly always the shorter: length cannot be told from quality"
    assert row["length_note"] in table(figures)
    assert figures["bias"]["longer"]["value"] == 100


@pytest.mark.parametrize("rule", [judges.knows_the_references, judges.mostly_knows])
def test_a_judge_who_knows_orders_the_systems_rightly_and_is_not_warned_of(make_plan, rule):
    plan = make_plan()
    figures = figures_of(plan, rule)
    acceptable = [figures["rating"][system]["acceptable"]["value"] for system in ("base", "seeds", "seeds+generated")]
    assert acceptable == sorted(acceptable) and acceptable[2] - acceptable[0] > 40
    rates = [figures["pairwise"]["systems"][system]["win_rate"]["value"] for system in ("seeds", "seeds+generated")]
    assert 50 < rates[0] < rates[1]
    assert figures["pairwise"]["systems"]["seeds+generated"]["verdict"] == "better"
    assert figures["bias"]["warnings"] == []


def test_who_knows_agrees_with_the_truth_and_who_rolls_dice_does_not(make_plan):
    plan = make_plan()
    truth = {
        (e.id, system): "A" if texts[row].removesuffix(judges.PADDING) == e.references[0] else "D"
        for system, texts in plan.answers.items()
        for row, e in enumerate(plan.examples)
    }

    def agreement(rule) -> dict:
        run_dir = f"{plan.config.run_dir}/{rule.__name__}"
        judged = judge(replace(plan, config=replace(plan.config, run_dir=run_dir)), judges.RuleLM(rule))
        given = {(g.example_id, s): g.grade for s, rows in judged.gradings.items() for g in rows}
        return calibrate(given, truth, {e.id: e.task for e in plan.examples}, seed=1, num_samples=10)

    knows, dice = agreement(judges.knows_the_references), agreement(judges.rolls_dice)
    assert (knows["n"], knows["kappa"], knows["accuracy"]) == (156, 1, 100)
    assert abs(dice["kappa"]) < 0.15 and 35 < dice["accuracy"] < 65


def test_a_judge_who_rolls_dice_cannot_tell_the_systems_apart(make_plan):
    figures = figures_of(make_plan(), judges.rolls_dice)
    assert [row["verdict"] for row in figures["pairwise"]["systems"].values()] == ["cannot be told apart"] * 2
    assert figures["bias"]["warnings"] == []
    assert 30 < figures["bias"]["consistency"]["value"] < 70


def test_two_systems_of_equal_answers_have_equal_figures(make_plan, user_examples):
    answers = judges.world(user_examples)
    figures = figures_of(make_plan({**answers, "twin": answers["seeds"]}), judges.mostly_knows)
    assert figures["pairwise"]["systems"]["twin"] == figures["pairwise"]["systems"]["seeds"]
    assert figures["rating"]["twin"] == figures["rating"]["seeds"]
