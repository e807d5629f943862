"""One YAML file is one run: its sections and settings, a file a section, each with its meaning, default and range.

A section checks itself when it is built: a value out of range is one ValueError line with key, value and remedy.
Reading a YAML and the command line is `load`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..core.records import Sampling
from .annotate import AnnotateConfig
from .budget import BudgetConfig, Price, check_price
from .card import CardConfig
from .eval import EvalConfig
from .experiment import ExperimentConfig
from .export import ExportConfig
from .generate import ContaminationConfig, GenerateConfig, NearDuplicateConfig
from .judge import JudgeConfig
from .model import ModelConfig, ServerConfig, VllmConfig
from .publish import PublishConfig
from .quality import QualityConfig
from .ranges import SettingError
from .relabel import RelabelConfig
from .train import LoraSettings, TrainConfig

__all__ = [
    "RENAMED",
    "AnnotateConfig",
    "BudgetConfig",
    "CardConfig",
    "Config",
    "ContaminationConfig",
    "EvalConfig",
    "ExperimentConfig",
    "ExportConfig",
    "GenerateConfig",
    "JudgeConfig",
    "LoraSettings",
    "ModelConfig",
    "NearDuplicateConfig",
    "Price",
    "PublishConfig",
    "QualityConfig",
    "RelabelConfig",
    "Sampling",
    "ServerConfig",
    "SettingError",
    "TrainConfig",
    "VllmConfig",
    "check_price",
]

RENAMED = {"train.held_out": "train.validation_rows"}
"""Old names of settings, each with the new one."""


@dataclass(frozen=True)
class Config:
    """A whole run."""

    run_dir: str = "runs/tiny"
    """Folder of the run."""
    seed: int = 42
    """Random seed."""
    model: ModelConfig = field(default_factory=ModelConfig)
    generate: GenerateConfig = field(default_factory=GenerateConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    eval: EvalConfig = field(default_factory=EvalConfig)
    judge: JudgeConfig = field(default_factory=JudgeConfig)
    annotate: AnnotateConfig = field(default_factory=AnnotateConfig)
    experiment: ExperimentConfig = field(default_factory=ExperimentConfig)
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    relabel: RelabelConfig = field(default_factory=RelabelConfig)
    quality: QualityConfig = field(default_factory=QualityConfig)
    card: CardConfig = field(default_factory=CardConfig)
    export: ExportConfig = field(default_factory=ExportConfig)
    publish: PublishConfig = field(default_factory=PublishConfig)

    def __post_init__(self) -> None:
        check_price(self.budget, "model", self.model)
