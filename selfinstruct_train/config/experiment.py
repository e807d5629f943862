"""Settings of the experiments that train several models: scale, distill, baselines."""

from __future__ import annotations

from dataclasses import dataclass, field

from .ranges import check_model_names


@dataclass(frozen=True)
class ExperimentConfig:
    """`selfinstruct scale`, `distill`, `baselines`: train and evaluate models on several datasets in the same way."""

    sizes: tuple[int, ...] = ()
    """For scale: numbers of instructions. Each subset contains the smaller ones, and the seeds come first. empty: the
    seeds, then doubled up to all."""
    datasets: dict[str, str] = field(default_factory=dict)
    """For baselines: other instruction datasets, file or folder, by the name to show in tables."""

    def __post_init__(self) -> None:
        if any(size < 1 for size in self.sizes) or len(set(self.sizes)) < len(self.sizes):
            raise ValueError(f"experiment.sizes is {self.sizes}; name different numbers of at least 1")
        check_model_names("experiment.datasets", self.datasets)
