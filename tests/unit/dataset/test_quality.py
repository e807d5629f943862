"""The quality filter: which rows stay, what is counted, what is kept of the scores."""

import json
from dataclasses import replace

import pytest

from selfinstruct_train.config import Config, ModelConfig, QualityConfig
from selfinstruct_train.core.records import Completion, Sampling
from selfinstruct_train.dataset.quality import (
    ScoreOutcome,
    filter_by_quality,
    histogram,
    load_scorer,
    prepare_quality,
    score_outcomes,
)
from selfinstruct_train.dataset.rows import read_rows
from selfinstruct_train.lm.reward import RewardModel

GRADES = {"old 0": "Grade: 5", "old 1": "Grade: 3", "old 2": "Grade: 4", "old 3": "fine, I think", "old 4": "Grade: 1"}


def grade(prompt: str) -> str:
    return next((answer for output, answer in GRADES.items() if f"\n{output}\n" in prompt), "Grade: 2")


def config_of(run_dir, **settings) -> Config:
    return Config(run_dir=str(run_dir), quality=QualityConfig(**{"model": ModelConfig("judge"), **settings}))


def test_rows_below_grade_4_or_without_a_grade_are_left_out_and_seeds_stay(run_dir, rule_lm):
    lm = rule_lm(grade)
    result = filter_by_quality(prepare_quality(config_of(run_dir)), lm)
    assert [row.id for row in result.rows] == ["s-0", "g-0", "g-2"]
    assert result.rows == read_rows(run_dir / "filtered")
    ledger = [json.loads(line) for line in (run_dir / "candidates/quality.jsonl").read_text().splitlines()]
    assert [(line["id"], line["score"], line["verdict"]) for line in ledger] == [
        ("g-0", 5, "kept"),
        ("g-1", 3, "low_score"),
        ("g-2", 4, "kept"),
        ("g-3", None, "unreadable"),
        ("g-4", 1, "low_score"),
        ("g-5", 2, "low_score"),
    ]
    assert len(lm.asked) == 6 and all(request.chat for request in lm.asked)
    assert lm.sampling == Sampling(max_new_tokens=16)


def test_another_threshold_asks_nothing_again(run_dir, rule_lm):
    filter_by_quality(prepare_quality(config_of(run_dir)), rule_lm(grade))
    again = rule_lm(grade)
    result = filter_by_quality(prepare_quality(config_of(run_dir, min_score=2.0)), again)
    assert again.asked == []
    assert [row.id for row in result.rows] == ["s-0", "g-0", "g-1", "g-2", "g-5"]
    best = filter_by_quality(prepare_quality(config_of(run_dir, keep_fraction=0.2)), again)
    assert [row.id for row in best.rows] == ["s-0", "g-0"]  # one of the five that have a grade
    best = filter_by_quality(prepare_quality(config_of(run_dir, keep_fraction=0.01)), again)
    assert [row.id for row in best.rows] == ["s-0", "g-0"]  # the best stays whatever the fraction


def test_a_killed_filtering_goes_on_and_asks_nothing_twice(run_dir, rule_lm):
    killed, second = rule_lm(grade, dies_at=2), rule_lm(grade)
    with pytest.raises(KeyboardInterrupt):
        filter_by_quality(prepare_quality(config_of(run_dir)), killed)
    filter_by_quality(prepare_quality(config_of(run_dir)), second)
    assert [r.id for r in killed.asked + second.asked] == [f"quality-g-{i}" for i in range(6)]


def test_a_plain_judge_is_asked_in_plain_text_with_the_samplings_tokens(run_dir, rule_lm):
    lm = rule_lm(lambda prompt: " 4")
    settings = {"chat": False, "sampling": Sampling(max_new_tokens=2), "dataset": str(run_dir / "dataset")}
    result = filter_by_quality(prepare_quality(config_of(run_dir, **settings)), lm)
    assert len(result.rows) == 7
    assert not lm.asked[0].chat and lm.asked[0].prompt.endswith("\nGrade:") and lm.sampling.max_new_tokens == 2


def test_what_can_be_mended_is_told_before_a_model_is_loaded(run_dir, rule_lm):
    with pytest.raises(ValueError, match=r"quality\.model\.path names no model"):
        prepare_quality(Config(run_dir=str(run_dir)))
    filter_by_quality(prepare_quality(config_of(run_dir)), rule_lm(grade))
    with pytest.raises(ValueError, match=r"quality-judge.jsonl belongs to another configuration \(chat"):
        prepare_quality(config_of(run_dir, chat=False))


def test_a_judge_that_gives_no_grade_at_all_is_no_filter(run_dir, rule_lm):
    with pytest.raises(ValueError, match=r"none of 6 rows got a readable score from rule; the first answer is 'Well'"):
        filter_by_quality(prepare_quality(config_of(run_dir)), rule_lm(lambda prompt: "Well"))
    assert not (run_dir / "filtered").exists()


def test_of_equal_rewards_the_earlier_row_stays_and_a_row_that_is_too_long_is_counted_apart(run_dir):
    rows = read_rows(run_dir / "dataset")[1:]
    answers = ["0.5", "2.0", "", "-1.0", "0.5", "0.5"]
    completions = [Completion(r.id, a, "stop" if a else "length", 9, 0) for r, a in zip(rows, answers, strict=True)]
    half = QualityConfig(scorer="reward_model", keep_fraction=0.4)
    assert [outcome.verdict for outcome in score_outcomes(rows, completions, half)] == [
        "kept", "kept", "too_long", "low_score", "low_score", "low_score",
    ]  # fmt: skip
    least = replace(half, keep_fraction=None, min_score=-0.5)
    assert [outcome.score for outcome in score_outcomes(rows, completions, least) if outcome.verdict == "kept"] == [
        0.5,
        2,
        0.5,
        0.5,
    ]


def test_a_reward_model_scores_the_rows_of_a_run_once(run_dir, reward_folder):
    model = ModelConfig(str(reward_folder), device="cpu", batch_size=2)
    config = config_of(run_dir, model=model, scorer="reward_model", keep_fraction=0.5)
    scorer = load_scorer(config)
    assert isinstance(scorer, RewardModel)
    result = filter_by_quality(prepare_quality(config), scorer)
    assert len(result.rows) == 1 + 3
    scores = [outcome.score for outcome in result.outcomes]
    assert len(set(scores)) > 1
    kept = [outcome.score for outcome in result.outcomes if outcome.verdict == "kept"]
    assert min(kept) >= sorted(scores)[3]

    class Silent(RewardModel):
        def complete(self, requests, sampling, on_answer=None):
            raise AssertionError("asked again")

    silent = Silent(scorer._network, scorer._tokenizer, scorer.name, 2, "cpu")
    assert filter_by_quality(prepare_quality(config), silent) == result


def test_the_histogram_counts_grades_and_steps_of_rewards():
    outcomes = [ScoreOutcome(str(i), score, "", "kept") for i, score in enumerate([5, 5, 4, None, 1])]
    assert [line.split() for line in histogram(outcomes, "judge").splitlines()] == [
        ["1", "1", "#" * 20],
        ["2", "0"],
        ["3", "0"],
        ["4", "1", "#" * 20],
        ["5", "2", "#" * 40],
    ]
    outcomes = [ScoreOutcome(str(i), score, "", "kept") for i, score in enumerate([-1.0, 0.95, 1.0])]
    lines = histogram(outcomes, "reward_model").splitlines()
    assert len(lines) == 10
    assert lines[0].split() == ["-1.00", "to", "-0.80", "1", "#" * 20]
    assert lines[9].split() == ["0.80", "to", "1.00", "2", "#" * 40]
    assert histogram([ScoreOutcome("a", None, "", "unreadable")], "judge") == "no row has a score"
