"""A generation session around one journal, for tests of a single stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from selfinstruct_train.config import Config, GenerateConfig
from selfinstruct_train.core.journal import Journal
from selfinstruct_train.core.names import Stage
from selfinstruct_train.core.records import SeedTask
from selfinstruct_train.generate.self_instruct.prompts import Templates
from selfinstruct_train.generate.session import Plan, Session
from selfinstruct_train.lm.base import LM
from selfinstruct_train.lm.budget import FREE, Meter, Usage

TEMPLATES = Templates("C Task:", "I Task:", "O Task:")


@contextmanager
def one_stage(
    stage: Stage, run_dir: Path, lm: LM, settings: GenerateConfig, seeds: Sequence[SeedTask] = (), seed: int = 1
) -> Iterator[Session]:
    """Open <run_dir>/journal.jsonl as the journal of one stage."""
    config = Config(run_dir=str(run_dir), seed=seed, generate=settings)
    plan = Plan(config, list(seeds), TEMPLATES, run_dir)
    with Journal.open(run_dir / "journal.jsonl", {}) as journal:
        yield Session(plan, lm, Meter(config.budget, FREE, Usage()), {stage: journal})
