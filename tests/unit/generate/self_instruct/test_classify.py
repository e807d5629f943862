"""Stage 2: reading a Yes or a No."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from selfinstruct_train.config import GenerateConfig
from selfinstruct_train.core.records import Completion, Instruction, Request, Sampling
from selfinstruct_train.generate.self_instruct.classify import classify, label_outcome, read_answer
from selfinstruct_train.lm.base import OnAnswer
from tests.support.generation import one_stage


@pytest.mark.parametrize(
    ("text", "default", "paper"),
    [
        (" Yes", "classification", "classification"),
        ("YES\n", "classification", "classification"),
        (" yes", "classification", "classification"),
        (" Yes.", "classification", "not_classification"),
        (" Yes, it", "classification", "not_classification"),
        (" No", "not_classification", "not_classification"),
        (" no, it", "not_classification", "not_classification"),
        (" Not sure", "unclear", "not_classification"),
        (" Yesterday", "unclear", "not_classification"),
        ("", "unclear", "not_classification"),
    ],
)
def test_an_answer_is_yes_no_or_unclear_and_in_paper_all_but_a_bare_yes_is_no(
    text: str, default: str, paper: str
) -> None:
    assert read_answer(text, "default") == default
    assert read_answer(text, "paper") == paper


class FlakyLM:
    name = "flaky"
    chunk_size = 1

    def __init__(self, fail_at: str) -> None:
        self.fail_at = fail_at
        self.asked: list[str] = []

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        (request,) = requests
        if request.id.endswith(self.fail_at):
            raise ConnectionError("gone")
        self.asked.append(request.id)
        return [Completion(request.id, " Yes", "stop", 1, 1)]


def test_a_failed_call_never_becomes_an_answer_and_is_asked_again(tmp_path: Path) -> None:
    instructions = [Instruction(i, f"Task {i}", "generated") for i in ("a", "b", "c")]
    with (
        one_stage("classification", tmp_path, FlakyLM("b"), GenerateConfig()) as session,
        pytest.raises(ConnectionError),
    ):
        classify(session, instructions)
    lm = FlakyLM("none")
    with one_stage("classification", tmp_path, lm, GenerateConfig()) as session:
        outcomes = classify(session, instructions)
    assert lm.asked == ["classification-b", "classification-c"]
    assert [(f.instruction_id, f.verdict, f.is_classification) for f in outcomes] == [
        ("a", "classification", True),
        ("b", "classification", True),
        ("c", "classification", True),
    ]


def test_a_withheld_answer_is_no_answer_about_the_task() -> None:
    withheld = Completion("classification-a", "", "content_filter", 5, 0)
    for settings in (GenerateConfig(method="default"), GenerateConfig(method="paper")):
        outcome = label_outcome(Instruction("a", "Sort it.", "generated"), withheld, settings)
        assert (outcome.verdict, outcome.is_classification) == ("refused", False)
