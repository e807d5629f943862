"""The tiny world's user-oriented tasks, and the answers of `judges.world` to them, in memory and in a run directory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from selfinstruct_eval.examples import Example
from selfinstruct_eval.judge.judging import JudgePlan
from selfinstruct_eval.predict import write_predictions
from selfinstruct_eval.tasks import load_sets
from selfinstruct_train.config import Config, EvalConfig, JudgeConfig, ModelConfig
from selfinstruct_train.core.names import BASE
from selfinstruct_train.core.records import Completion
from tests.support.judges import world


@pytest.fixture(scope="session")
def user_examples() -> list[Example]:
    return load_sets(EvalConfig(user_oriented="builtin:tiny"))["user_oriented"]


@pytest.fixture
def make_plan(user_examples, tmp_path) -> Callable[..., JudgePlan]:
    """make_plan(answers by system, ...) -> a plan without files of answers; `base` is met."""

    def make(answers: dict[str, tuple[str, ...]] | None = None, **settings: object) -> JudgePlan:
        config = Config(
            run_dir=str(tmp_path / "run"),
            judge=JudgeConfig(**{"model": ModelConfig("judge"), **settings}),
            eval=EvalConfig(user_oriented="builtin:tiny", bootstrap_samples=300),
        )
        of_systems = answers or world(user_examples)
        return JudgePlan(config, tuple(user_examples), of_systems, of_systems[BASE])

    return make


@pytest.fixture
def add_answers(tmp_path) -> Callable[..., Path]:
    """add_answers(set, examples, answers by system): write them as `selfinstruct eval` does -> the run directory."""

    def add(name: str, examples: Sequence[Example], answers: dict[str, tuple[str, ...]]) -> Path:
        run_dir = tmp_path / "run"
        for system, texts in answers.items():
            completions = [Completion(e.id, text, "stop", 1, 1) for e, text in zip(examples, texts, strict=True)]
            write_predictions(str(run_dir), system, name, examples, completions)
            if system != BASE:
                (run_dir / "model" / system).mkdir(parents=True, exist_ok=True)
                (run_dir / "model" / system / "model.safetensors").touch()
        return run_dir

    return add


@pytest.fixture
def run_with_answers(user_examples, add_answers) -> Path:
    """A run directory as `selfinstruct eval` leaves it, as far as the judge reads it."""
    return add_answers("user_oriented", user_examples, world(user_examples))
