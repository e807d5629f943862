"""Greedy answers and what is measured of them: independent of the batch, figures by hand."""

from dataclasses import replace

import pytest

from selfinstruct_train.lm.transformers.greedy import Answer, Greedy, greedy_answers
from selfinstruct_train.train.plan import make_plan
from selfinstruct_train.train.verify import answers as module
from selfinstruct_train.train.verify.answers import (
    Asking,
    check_answers,
    draw_questions,
    is_in_a_loop,
    measure,
    new_token_limit,
    repeats_itself,
    tokens_allowed,
)
from tests.support.hand_training import hand_train


@pytest.fixture
def plan(make_config):
    return make_plan(make_config(), "seeds+generated")


def test_batched_greedy_text_is_that_of_one_by_one(plan, base_folder):
    """On the base, whose answers run to the limit, and on the trained model, whose answers end."""
    import torch
    from transformers import AutoModelForCausalLM

    questions = draw_questions(plan, plan.tokenizer, 16, 256)
    assert len({len(question.prompt_ids) for question in questions}) > 3
    for folder in (base_folder, hand_train(plan, 60)):
        network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        together, one_by_one, by_seven = (
            Asking(plan.tokenizer, 16, frozenset([0]), batch_size).answers(network, questions)
            for batch_size in (50, 1, 7)
        )
        assert together == one_by_one == by_seven
        prompts = [question.prompt_ids for question in questions]
        assert together == greedy_answers(network, prompts, Greedy(16, (0,), 50), "cpu")  # transformers' generate
    assert len({a.ids for a in together}) == 5


def test_long_answers_in_pieces_are_those_in_one_piece_and_loops_end_early(plan, base_folder, monkeypatch):
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(base_folder).eval()
    asking = Asking(plan.tokenizer, 100, frozenset([0]), 8)
    questions = draw_questions(plan, plan.tokenizer, 100, 256)[:8]
    whole = asking.answers(network, questions)
    monkeypatch.setattr(module, "FIRST_PIECE", 20)
    monkeypatch.setattr(module, "LOOP_TOKENS", 1000)
    assert asking.answers(network, questions) == whole
    assert {(len(answer.ids), answer.stopped) for answer in whole} == {(100, False)}
    monkeypatch.setattr(module, "is_in_a_loop", lambda ids: len(ids) >= 60)
    cut = asking.answers(network, questions)
    assert [answer.ids for answer in cut] == [answer.ids[:60] for answer in whole]  # 20, and 40 more
    assert not any(answer.stopped for answer in cut)


def test_a_loop_is_one_short_sequence_for_96_tokens():
    assert is_in_a_loop([1, 2, 3] * 32)
    assert not is_in_a_loop([1, 2, 3] * 31 + [1, 2])  # 95 tokens
    assert is_in_a_loop([9] * 100 + list(range(32)) * 3)
    assert not is_in_a_loop(list(range(33)) * 3)
    assert not is_in_a_loop([1, 2, 3] * 40 + [4])


def test_questions_come_from_validation_rows_if_there_are_some(plan):
    drawn = draw_questions(plan, plan.tokenizer, 40, None)
    assert len(drawn) == 50
    assert drawn == draw_questions(plan, plan.tokenizer, 40, None)
    other = replace(plan, validation_rows=plan.source_rows[:3])
    assert {question.row for question in draw_questions(other, plan.tokenizer, 40, None)} == set(plan.source_rows[:3])
    long = replace(plan, validation_rows=(replace(plan.source_rows[0], output="red " * 200), plan.source_rows[1]))
    assert [question.row for question in draw_questions(long, plan.tokenizer, 40, None)] == [plan.source_rows[1]]
    assert draw_questions(plan, plan.tokenizer, 40, 45) == []  # the shortest prompt has more than 5 tokens


def test_after_a_short_training_there_are_fewer_questions(plan):
    tokens = sum(len(row.input_ids) for row in plan.rows)
    long = replace(plan, config=replace(plan.config, train=replace(plan.config.train, epochs=4000 * 128 / tokens)))
    assert tokens_allowed(plan) == 4096  # a quarter of two epochs is less
    assert tokens_allowed(long) == pytest.approx(128_000, rel=0.01)
    lengths = [len(question.prompt_ids) for question in draw_questions(long, plan.tokenizer, 1000, None)]
    assert len(lengths) == 50  # 50 answers of 1,000 tokens and their prompts are less than 128,000
    drawn = draw_questions(plan, plan.tokenizer, 400, None)
    assert [len(question.prompt_ids) for question in drawn] == lengths[: len(drawn)]
    assert (
        sum(lengths[: len(drawn)]) + 400 * len(drawn) <= 4096 < sum(lengths[: len(drawn) + 1]) + 400 * (len(drawn) + 1)
    )
    assert len(draw_questions(plan, plan.tokenizer, 2000, None)) == 5  # never fewer


def test_the_limit_is_twice_what_nearly_all_completions_need(plan, monkeypatch):
    assert max(sum(label != -100 for label in row.labels) for row in plan.rows) == 5  # " white" and the end
    assert new_token_limit(plan, None) == 16
    long = replace(plan.rows[0], labels=(1,) * 100)
    many = replace(plan, encoding=replace(plan.encoding, rows=(long,) * 60))
    assert new_token_limit(many, None) == 200
    assert new_token_limit(many, 256) == 128
    longer = replace(plan, encoding=replace(plan.encoding, rows=(replace(long, labels=(1,) * 700),) * 60))
    assert new_token_limit(longer, None) == 819  # 4096 / 5; 512 would end every answer of a model that learned well
    monkeypatch.setattr(module, "FREE_TOKENS", 0)
    monkeypatch.setattr(module, "SHARE_OF_TRAINING", 0.0)
    assert new_token_limit(longer, None) == 701


def test_the_limit_looks_past_one_long_row_of_many(plan):
    long = replace(plan.rows[0], labels=(1,) * 100)
    one = replace(plan, encoding=replace(plan.encoding, rows=(long, *plan.rows * 3)))
    assert new_token_limit(one, None) == 16  # one row in 181 is beyond 99 of 100


def test_figures_of_answers_written_out(plan):
    questions = draw_questions(plan, plan.tokenizer, 16, None)[:4]
    answers = [Answer((), True), Answer((70, 71), True), Answer((70,) * 9, False), Answer((70, 71), True)]
    figures = measure(questions, answers, plan.tokenizer, 9)
    assert (figures["stop_rate"], figures["repetition_rate"], figures["empty_rate"]) == (0.75, 0.25, 0.25)
    assert (figures["mean_tokens"], figures["median_tokens"], figures["different_answers"]) == (3.25, 2, 3)
    assert {finding.check: finding.level for finding in check_answers(figures)} == {
        "stops": "warning",
        "repetition": "warning",
        "answers": "warning",
    }
    silent = measure(questions, [Answer((), True)] * 4, plan.tokenizer, 9)
    assert "says nothing" in next(f.what for f in check_answers(silent) if f.level == "error")
    same = measure(questions, [Answer((70,), True)] * 4, plan.tokenizer, 9)
    assert [f.level for f in check_answers(same)] == ["ok", "ok", "warning"]


def test_repetition_counts_four_tokens_in_a_row():
    assert not repeats_itself([1, 2, 3, 4] * 4)
    assert repeats_itself([1, 2, 3, 4] * 5)
    assert not repeats_itself([7] * 7)  # four times 7 7 7 7
    assert repeats_itself([7] * 8)
    assert not repeats_itself([1, 2])


def figures(stopped: int, number: int, empty: int = 0) -> dict:
    from selfinstruct_train.core.stats import wilson_interval

    different = {"different_answers": number - empty + 1, "different_references": number}
    counts = {"repetition_rate": 0.0, "empty_rate": empty / number, **different}
    lengths = {"mean_tokens": 9.0, "median_tokens": 9, "max_new_tokens": 16}
    interval = list(wilson_interval(stopped / number, number))
    return {"questions": number, "stop_rate": stopped / number, "stop_rate_interval": interval, **counts, **lengths}


@pytest.mark.parametrize(
    ("stopped", "number", "level"),
    [(0, 5, "error"), (1, 5, "warning"), (2, 5, "warning"), (5, 5, "ok"), (24, 50, "error"), (25, 50, "warning")],
)
def test_few_answers_refuse_a_model_only_if_chance_does_not_explain_them(stopped, number, level):
    assert next(f.level for f in check_answers(figures(stopped, number)) if f.check == "stops") == level


def test_a_warning_in_place_of_an_error_says_why():
    said = next(f.what for f in check_answers(figures(2, 5)) if f.check == "stops")
    assert said.startswith("the model often does not stop, but 5 answers are too few to refuse it: 40% [12%, 77%] of 5")


@pytest.mark.parametrize(
    ("empty", "number", "level"),
    [(3, 3, "warning"), (4, 4, "error"), (49, 50, "warning"), (50, 50, "error"), (5, 50, "ok")],
)
def test_empty_answers_refuse_a_model_only_if_there_are_four(empty, number, level):
    """Lower ends of Wilson's 95 % interval: 3 of 3 0.438, 4 of 4 0.510."""
    assert next(f.level for f in check_answers(figures(number, number, empty)) if f.check == "answers") == level


def test_five_questions_with_full_answers_stay_within_what_is_allowed(plan, monkeypatch):
    monkeypatch.setattr(module, "tokens_allowed", lambda plan: 600)
    long = tuple(replace(row, labels=[*row.labels, *[5] * 90]) for row in plan.rows)
    plan = replace(plan, encoding=replace(plan.encoding, rows=long))
    limit = new_token_limit(plan, None)
    assert 90 < limit < 120
    questions = draw_questions(plan, plan.tokenizer, limit, None)
    assert len(questions) == 5
    assert sum(len(question.prompt_ids) + limit for question in questions) < 700  # prompts differ in length


def test_a_model_that_cannot_be_run_in_batches_is_asked_one_question_at_a_time(plan, base_folder, monkeypatch, caplog):
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(base_folder).eval()
    questions = draw_questions(plan, plan.tokenizer, 16, 256)[:6]
    expected = Asking(plan.tokenizer, 16, frozenset([0]), 8).answers(network, questions)

    def refuse(network):
        raise ValueError("Foreign in a batch, token by token, gives other logits than for a text alone")

    monkeypatch.setattr("selfinstruct_train.lm.transformers.trial.check_batches", refuse)
    assert Asking(plan.tokenizer, 16, frozenset([0]), 8).answers(network, questions) == expected
    assert "asking one question at a time: Foreign in a batch" in caplog.text
