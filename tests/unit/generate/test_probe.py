"""The probe on a scripted model that understands chats in its own way."""

from __future__ import annotations

import dataclasses
import json
import random

import pytest

from selfinstruct_train.config import BudgetConfig, Price
from selfinstruct_train.core.records import BudgetReachedError, Completion
from selfinstruct_train.generate import probe as module
from selfinstruct_train.generate.pipeline import generate, read_plan
from selfinstruct_train.generate.probe import (
    FormResult,
    accepted_interval,
    advice,
    best_form,
    predict,
    probe,
    probe_table,
)
from selfinstruct_train.lm.budget import Usage
from tests.support import scripted_lm as scripted

NAMES = ["Anna", "Ben", "Carla", "Dora", "Emil", "Fritz", "Gerda", "Hans", "Ida", "Jon", "Karl", "Lena", "Max"]


def make_chat_lm(refuses=()):
    class ChatLM(scripted.ScriptedLM):
        """Plain: two tasks. In a chat: a preface, then three; in a list that was asked for, five; Yes; an example."""

        name = "scripted-chat"

        def answer(self, request):
            prompt = request.prompt
            if request.chat and "chat" in refuses:
                raise ValueError("its tokenizer has no chat template")
            rng = random.Random(f"{request.seed} {prompt}")
            tasks = [" ".join(["Tell", *rng.choices(NAMES, k=5), f"about {rng.choice(NAMES)}."]) for _ in range(5)]
            if not request.chat:
                text = f" {tasks[0]}\n10. {tasks[1]}"
            elif "Is it classification?" in prompt:
                text = "**No**, it is not."
            elif prompt.startswith("The text below is a numbered"):
                text = "Sure! Here is the list:\n\n" + "\n\n".join(f"{9 + i}. **{tasks[i]}**" for i in range(3))
            elif prompt.startswith("Here are"):
                text = "\n".join(f"{9 + i}) {tasks[i]}" for i in range(5))
            else:
                text = f"Of course.\n\n**Example 1**\n**Input:** {tasks[0]}\n**Output:** {tasks[1]}\n"
            return Completion(request.id, text, "stop", 100, 10)

    return ChatLM()


def test_the_form_with_most_new_instructions_a_request_is_found(world, tmp_path):
    plan = read_plan(scripted.make_config(world, tmp_path / "run"))
    results = probe(plan, make_chat_lm())
    assert [r.form for r in results] == ["plain", "chat", "numbered"]
    assert [len(r.accepted) for r in results] == [20, 20, 20]
    assert [sum(r.usable) for r in results] == [40, 60, 100]  # 2, 3 and 5 a prompt pass the rules
    assert best_form(results).form == "numbered"
    said = advice(results, 1000, 7, BudgetConfig())
    assert "prompt_form: numbered" in said and said.startswith("best: numbered\n")
    assert json.loads((tmp_path / "run/probe.json").read_text())["chat"]["usable"] == [3] * 20


def test_every_form_shows_the_same_instructions(world, tmp_path):
    plan = read_plan(scripted.make_config(world, tmp_path / "run"))
    plain, chat, numbered = (module.probe_requests(plan, form, 3) for form in ("plain", "chat", "numbered"))
    for a, b, c in zip(plain, chat, numbered, strict=True):
        assert a[1] == b[1] == c[1] and len(a[1]) == 8
        assert (a[0].id, a[0].seed) == (b[0].id, b[0].seed) == (c[0].id, c[0].seed)
        assert (a[0].chat, b[0].chat, c[0].chat) == (False, True, True)
        assert b[0].prompt.endswith(a[0].prompt)


def test_a_second_probe_asks_nothing_and_tells_the_same(world, tmp_path):
    plan = read_plan(scripted.make_config(world, tmp_path / "run"))
    first = probe(plan, make_chat_lm())
    lm = make_chat_lm()
    assert probe(plan, lm) == first
    assert lm.asked == []


def test_a_form_that_the_model_cannot_be_asked_in_is_shown_with_the_reason(world, tmp_path):
    plan = read_plan(scripted.make_config(world, tmp_path / "run"))
    results = probe(plan, make_chat_lm(refuses=("chat",)))
    assert [r.failure for r in results] == ["", *["its tokenizer has no chat template"] * 2]
    assert "chat      cannot be asked: its tokenizer has no chat template" in probe_table(results, 7)
    assert best_form(results).form == "plain"


def test_a_budget_stops_the_probe_and_is_no_failure_of_a_form(world, tmp_path):
    config = dataclasses.replace(scripted.make_config(world, tmp_path / "run"), budget=BudgetConfig(max_tokens=10))
    with pytest.raises(BudgetReachedError, match="budget.max_tokens"):
        probe(read_plan(config), make_chat_lm())


def test_what_a_run_takes_is_reckoned_from_the_yield():
    # 4 a request: 1,000 take 250 requests; 20 requests took 2,000 + 400 tokens, so 25,000 + 5,000; 0.5 s each
    result = FormResult("chat", (5,) * 20, (4,) * 20, Usage(20, 2000, 400, 0.4), 0.5)
    found = predict(result, 1000)
    assert dataclasses.astuple(found) == pytest.approx((250, 25_000, 5_000, 5.0, 125.0))
    # Wilson's upper end of none of 20, t(19) = 2.093: 4.381 / 24.381 = 18 % may give anything else from 0 to 5
    assert accepted_interval(result, seed=1) == pytest.approx((4 - 0.1797 * 4, 4 + 0.1797 * 1), abs=1e-4)
    said = advice([result], 1000, 1, BudgetConfig(prices={"m": Price(1, 1)}))
    assert "at least 250 requests" in said and "5.00 USD, 2 min 5 s" in said


def test_a_yield_of_none_or_one_has_wilsons_interval():
    # 10 of 20 with t(19) = 2.093: 0.5 +- 0.2119
    result = FormResult("chat", (0, 1) * 10, (0, 1) * 10)
    assert accepted_interval(result, seed=1) == pytest.approx((0.2881, 0.7119), abs=1e-4)


def test_forms_whose_intervals_overlap_are_named():
    results = [
        FormResult("plain", (4,) * 4, (1, 2, 3, 4), Usage(4)),
        FormResult("chat", (4,) * 4, (2, 2, 3, 4), Usage(4)),
    ]
    assert advice(results, 10, 1, BudgetConfig()).startswith("best: chat (4 prompts do not tell it from plain)")


def test_of_equal_forms_the_plainer_is_taken_and_none_where_nothing_came():
    equal = [FormResult(form, (2,), (2,), Usage(1)) for form in ("plain", "chat")]
    assert best_form(equal).form == "plain"
    nothing = [FormResult("plain", (0,), (0,), Usage(1))]
    assert best_form(nothing) is None
    assert "no form gave" in advice(nothing, 10, 1, BudgetConfig())


@pytest.mark.parametrize("form", ["chat", "numbered"])
def test_a_whole_run_goes_through_the_form(world, tmp_path, form):
    lm = make_chat_lm()
    config = scripted.make_config(world, tmp_path / form, prompt_form=form, num_instructions=6)
    result = generate(read_plan(config), lm)
    generated = [row for row in result.rows if row.source == "generated"]
    assert len(generated) >= 6
    assert all(row.input.startswith("Tell") and "**" not in row.output for row in generated)
    rows = [json.loads(line) for line in (tmp_path / form / "journal/instructions.jsonl").open()]
    assert rows[0]["prompt_form"] == form
    assert ("Sure!" in rows[1]["text"]) == (form == "chat")  # the journal keeps what was said
    assert {lm.samplings[id].stop for id in lm.samplings if id.startswith("instances")} == {("Example 6",)}
