"""A generation run: what is fixed before a model is loaded (`Plan`), and what its stages work with (`Session`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..config import Config, GenerateConfig
from ..core.journal import Journal
from ..core.names import Stage
from ..core.records import SeedTask
from ..lm.base import LM
from ..lm.budget import Meter
from .self_instruct.prompts import Templates


@dataclass(frozen=True)
class Plan:
    """A checked generation run: what stands fixed before a model is loaded."""

    config: Config
    seeds: list[SeedTask]
    templates: Templates
    run_dir: Path

    @property
    def settings(self) -> GenerateConfig:
        """The section `generate` of the config."""
        return self.config.generate

    def with_settings(self, settings: GenerateConfig) -> Plan:
        """Return the plan of the same run with other settings of generation."""
        return dataclasses.replace(self, config=dataclasses.replace(self.config, generate=settings))


@dataclass(frozen=True)
class Session:
    """What the stages work with: the model, whose requests `meter` counts, and a journal for each stage."""

    plan: Plan
    lm: LM
    meter: Meter
    journals: Mapping[Stage, Journal]


def journal_path(run_dir: Path, stage: str) -> Path:
    """Where the answers of a stage are kept."""
    return run_dir / "journal" / f"{stage}.jsonl"
