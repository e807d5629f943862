"""Greedy answers and what is measured of them: independent of the batch, figures by hand."""

from dataclasses import replace

import pytest

from selfinstruct_train.core.records import Row
from selfinstruct_train.lm.transformers.greedy import Answer, Greedy
from selfinstruct_train.train.plan import make_plan
from selfinstruct_train.train.verify.answers import (
    Asking,
    Question,
    check_answers,
    draw_questions,
    measure,
    new_token_limit,
    next_token_logits,
    parts_at_a_tie,
    repeats_itself,
)
from selfinstruct_train.train.verify.device import Device
from tests.support import small_model
from tests.support.hand_training import hand_train


@pytest.fixture
def plan(make_config):
    return make_plan(make_config(), "seeds+generated")


def test_answers_that_part_where_two_tokens_are_equally_likely_part_at_a_tie(tmp_path):
    from transformers import AutoModelForCausalLM

    small_model.make_constant_model(tmp_path, {"a": 3.0, "b": 2.99, "c": 1.0})
    network = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    question = Question(Row("", "", "", ""), (5, 6))
    gap = float(next_token_logits(network, [question]).topk(2).values.diff().abs())
    one, other = Answer((7, 7, 8), True), Answer((7, 9), True)
    assert parts_at_a_tie(network, question, one, other, tolerance=gap)
    assert not parts_at_a_tie(network, question, one, other, tolerance=gap / 3)


def test_batched_greedy_text_is_that_of_one_by_one(plan, base_folder):
    """On the base, whose answers run to the limit, and on the trained model, whose answers end."""
    import torch
    from transformers import AutoModelForCausalLM

    questions = draw_questions(plan, plan.tokenizer, 16, 256)
    assert len({len(question.prompt_ids) for question in questions}) > 3
    for folder in (base_folder, hand_train(plan, 60)):
        network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        together, one_by_one, by_seven = (
            Asking(questions, Greedy(16, (0,), batch_size), Device("cpu", torch.float32)).answers(network)
            for batch_size in (50, 1, 7)
        )
        assert together == one_by_one == by_seven
    assert len({a.ids for a in together}) == 5


def test_questions_come_from_validation_rows_if_there_are_some(plan):
    drawn = draw_questions(plan, plan.tokenizer, 40, None)
    assert len(drawn) == 50
    assert drawn == draw_questions(plan, plan.tokenizer, 40, None)
    other = replace(plan, validation_rows=plan.source_rows[:3])
    assert {question.row for question in draw_questions(other, plan.tokenizer, 40, None)} == set(plan.source_rows[:3])
    long = replace(plan, validation_rows=(replace(plan.source_rows[0], output="red " * 200), plan.source_rows[1]))
    assert [question.row for question in draw_questions(long, plan.tokenizer, 40, None)] == [plan.source_rows[1]]
    assert draw_questions(plan, plan.tokenizer, 40, 45) == []  # the shortest prompt has more than 5 tokens


def test_the_limit_is_twice_what_nearly_all_completions_need(plan):
    assert max(sum(label != -100 for label in row.labels) for row in plan.rows) == 5  # " white" and the end
    assert new_token_limit(plan, None) == 16
    long = replace(plan.rows[0], labels=(1,) * 100)
    many = replace(plan, encoding=replace(plan.encoding, rows=(long,) * 60))
    assert new_token_limit(many, None) == 200
    assert new_token_limit(many, 256) == 128
    longer = replace(plan, encoding=replace(plan.encoding, rows=(replace(long, labels=(1,) * 700),) * 60))
    assert new_token_limit(longer, None) == 1400  # 512 would end every answer of a model that learned well
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
