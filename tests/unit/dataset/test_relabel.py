"""Relabelling: which outputs change, what the model is asked, the outcome of bad answers, going on after a kill."""

import json
from dataclasses import replace

import pytest

from selfinstruct_train.config import BudgetConfig, Config, ModelConfig, Price, RelabelConfig, TrainConfig
from selfinstruct_train.core.records import BudgetReachedError, Completion, Sampling
from selfinstruct_train.dataset.relabel import prepare_relabel, relabel, with_new_outputs
from selfinstruct_train.dataset.rows import read_rows


def config_of(run_dir, **settings) -> Config:
    return Config(
        run_dir=str(run_dir),
        train=TrainConfig(template="fixed"),
        relabel=RelabelConfig(**{"model": ModelConfig("teacher"), **settings}),
    )


def test_generated_outputs_are_replaced_and_seeds_stay(run_dir, rule_lm):
    result = relabel(prepare_relabel(config_of(run_dir)), rule_lm(lambda prompt: f" new to <{prompt}>\n"))
    before, after = read_rows(run_dir / "dataset"), read_rows(run_dir / "relabelled")
    assert after == result.rows
    assert [row.output for row in after][:2] == ["hello", "new to <Name number 0.>"]
    assert after[4].output == "new to <Name number 3.\n\nas a word>"
    assert [replace(row, output="", finish_reason="") for row in after] == [replace(row, output="") for row in before]


def test_empty_and_cut_answers_lose_their_row_and_stand_in_the_ledger(run_dir, rule_lm):
    answers = {"Name number 1.": " \n", "Name number 2.": "two and then ..."}
    result = relabel(prepare_relabel(config_of(run_dir)), rule_lm(lambda prompt: answers.get(prompt, "fine")))
    assert [row.id for row in result.rows] == ["s-0", "g-0", "g-3", "g-4", "g-5"]
    ledger = [json.loads(line) for line in (run_dir / "candidates/relabel.jsonl").read_text().splitlines()]
    assert ledger[:3] == [
        {"id": "g-0", "old": "old 0", "new": "fine", "verdict": "kept"},
        {"id": "g-1", "old": "old 1", "new": "", "verdict": "empty"},
        {"id": "g-2", "old": "old 2", "new": "two and then ...", "verdict": "cut_off"},
    ]
    assert len(ledger) == 6


def test_plain_text_is_the_evaluations_prompt_and_chat_is_a_message(run_dir, rule_lm):
    chat, plain = rule_lm(str), rule_lm(str)
    relabel(prepare_relabel(config_of(run_dir)), chat)
    assert chat.asked[3].chat and chat.asked[3].prompt == "Name number 3.\n\nas a word"
    sampling = Sampling(max_new_tokens=9)
    other = config_of(run_dir, chat=False, sampling=sampling, dataset=str(run_dir / "dataset"))
    relabel(prepare_relabel(replace(other, run_dir=str(run_dir / "other"))), plain)
    assert not plain.asked[3].chat
    assert plain.asked[3].prompt == "Instruction: Name number 3.\nInput: as a word\nResponse:"
    assert plain.sampling == sampling


def test_a_killed_relabelling_goes_on_and_asks_nothing_twice(run_dir, rule_lm):
    config = config_of(run_dir)
    killed, second, third = rule_lm(str.upper, dies_at=3), rule_lm(str.upper), rule_lm(str.upper)
    with pytest.raises(KeyboardInterrupt):
        relabel(prepare_relabel(config), killed)
    assert not (run_dir / "relabelled").exists()
    relabel(prepare_relabel(config), second)
    assert [r.id for r in killed.asked] == ["relabel-g-0", "relabel-g-1", "relabel-g-2"]
    assert [r.id for r in second.asked] == ["relabel-g-3", "relabel-g-4", "relabel-g-5"]
    once = (run_dir / "relabelled/train.parquet").read_bytes()
    (run_dir / "relabelled/train.parquet").unlink()
    relabel(prepare_relabel(config), third)
    assert third.asked == [] and (run_dir / "relabelled/train.parquet").read_bytes() == once


def test_a_limit_stops_it_and_a_higher_one_goes_on(run_dir, rule_lm):
    sampling = Sampling(max_new_tokens=20)
    low = replace(config_of(run_dir, sampling=sampling), budget=BudgetConfig(max_tokens=100))
    first, second = rule_lm(lambda prompt: "ten tokens"), rule_lm(lambda prompt: "ten tokens")
    with pytest.raises(BudgetReachedError, match=r"budget.max_tokens is reached: 72 of 100 tokens are spent"):
        relabel(prepare_relabel(low), first)  # 14 + 10 a row; the fourth may take 25 + 20
    assert len(first.asked) == 3
    relabel(prepare_relabel(replace(low, budget=BudgetConfig(max_tokens=200))), second)
    assert [r.id for r in first.asked + second.asked] == [f"relabel-g-{i}" for i in range(6)]


def test_a_limit_in_money_needs_the_price_of_the_stronger_model(run_dir):
    prices = {"builtin:tiny": Price(1.0, 1.0)}
    config = replace(config_of(run_dir), budget=BudgetConfig(prices=prices, max_cost=1.0))
    with pytest.raises(ValueError, match=r"no price for relabel\.model\.path 'teacher'"):
        prepare_relabel(config)
    prices["teacher"] = Price(1.0, 1.0)
    assert len(prepare_relabel(config).requests) == 6


def test_plain_questions_beside_the_chat_template_of_training_are_refused(run_dir):
    config = replace(config_of(run_dir, chat=False), train=TrainConfig(template="chat"))
    with pytest.raises(
        ValueError, match=r"relabel\.chat is false, .* train\.template is chat; set relabel\.chat: true"
    ):
        prepare_relabel(config)
    assert all(r.chat for r in prepare_relabel(replace(config, relabel=config_of(run_dir).relabel)).requests)


def test_what_can_be_mended_is_told_before_a_model_is_loaded(run_dir, rule_lm):
    with pytest.raises(ValueError, match=r"relabel\.model\.path names no model"):
        prepare_relabel(Config(run_dir=str(run_dir)))
    with pytest.raises(
        ValueError, match=r"no dataset there; run `selfinstruct generate` first, or set relabel.dataset"
    ):
        prepare_relabel(config_of(run_dir / "absent"))
    seeds = run_dir / "seeds.jsonl"
    seeds.write_text((run_dir / "dataset/train.jsonl").read_text().splitlines()[0])
    with pytest.raises(ValueError, match=r"seeds.jsonl: holds no generated row"):
        prepare_relabel(config_of(run_dir, dataset=str(seeds)))
    relabel(prepare_relabel(config_of(run_dir)), rule_lm(str))
    with pytest.raises(ValueError, match=r"relabel.jsonl belongs to another configuration \(chat: true there, false"):
        prepare_relabel(config_of(run_dir, chat=False))


def test_a_withheld_answer_loses_its_row_and_is_counted_apart(run_dir):
    rows = [row for row in read_rows(run_dir / "dataset") if row.source == "generated"][:2]
    answers = [Completion("a", "", "content_filter", 5, 0), Completion("b", "new", "stop", 5, 1)]
    kept, outcomes = with_new_outputs(rows, answers)
    assert [outcome.verdict for outcome in outcomes] == ["refused", "kept"]
    assert [row.output for row in kept] == ["new"]
