"""The run of `rated_run`, configured for the tests of this folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from selfinstruct_train.config import AnnotateConfig, Config, EvalConfig, TrainConfig
from tests.support.rated_run import ANSWERS, PLAN, make_run


@pytest.fixture
def configure(tmp_path: Path) -> Callable[..., Config]:
    """configure(answers, setting=value of the section annotate, ...) -> the configuration of an evaluated run."""

    def make(answers: dict[str, list[str]], **settings: Any) -> Config:
        _, run_dir, _, tasks, _, mixtures = make_run(tmp_path, answers)
        return Config(
            run_dir=run_dir,
            train=TrainConfig(mixtures=tuple(json.loads(mixtures))),
            eval=EvalConfig(user_oriented=tasks, bootstrap_samples=100),
            annotate=AnnotateConfig(**settings),
        )

    return make


@pytest.fixture(scope="session")
def planned_answers() -> dict[str, list[str]]:
    return ANSWERS


@pytest.fixture(scope="session")
def plan() -> dict[str, dict[str, str]]:
    """What ana and ben think of each answer: plan[text][rater]."""
    return PLAN


@pytest.fixture(scope="session")
def planned_settings(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], list[str]]:
    """Each call makes a run of the planned answers anew and returns its settings."""
    return lambda: make_run(tmp_path_factory.mktemp("rated"), ANSWERS)
