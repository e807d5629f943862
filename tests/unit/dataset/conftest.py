"""A language model by rule, and a small dataset, for the tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from selfinstruct_train.core.records import Completion, Request, Sampling
from selfinstruct_train.lm.base import OnAnswer
from tests.support.small_reward import make_reward_model

SEED = {"id": "s-0", "instruction": "Say hello.", "input": "", "output": "hello", "source": "seed"}


class RuleLM:
    """Answers by `rule`, tells of each answer at once, and is killed before answer number `dies_at`."""

    name = "rule"
    chunk_size = 4

    def __init__(self, rule: Callable[[str], str], dies_at: int | None = None) -> None:
        self.rule = rule
        self.dies_at = dies_at
        self.asked: list[Request] = []
        self.sampling: Sampling | None = None

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        self.sampling = sampling
        answers = []
        for request in requests:
            if len(self.asked) == self.dies_at:
                raise KeyboardInterrupt
            self.asked.append(request)
            text = self.rule(request.prompt)
            reason = "length" if text.endswith("...") else "stop"
            answers.append(Completion(request.id, text, reason, len(request.prompt), len(text)))
            if on_answer is not None:
                on_answer(answers[-1:])
        return answers


@pytest.fixture(scope="session")
def rule_lm() -> type[RuleLM]:
    return RuleLM


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A run with one seed row and six generated rows; row g-3 has an input."""
    rows = [SEED]
    rows += [
        {
            "id": f"g-{i}",
            "instruction": f"Name number {i}.",
            "input": "as a word" if i == 3 else "",
            "output": f"old {i}",
        }
        for i in range(6)
    ]
    (tmp_path / "run/dataset").mkdir(parents=True)
    (tmp_path / "run/dataset/train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "run"


@pytest.fixture(scope="session")
def reward_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_reward_model(tmp_path_factory.mktemp("reward"))
