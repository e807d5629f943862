"""Settings of the experiments that train several models: scale, distill, baselines."""

from __future__ import annotations

from dataclasses import dataclass, field

from .ranges import check_model_names


@dataclass(frozen=True)
class ExperimentConfig:
    """`selfinstruct scale`, `distill`, `baselines`: models on several sets of data, trained and scored alike."""

    sizes: tuple[int, ...] = ()
    """Of scale: numbers of instructions, the seeds first, each set within the next; empty: seeds, then doubled up to
    all."""
    datasets: dict[str, str] = field(default_factory=dict)
    """Of baselines: other sets of instruction data by name, file or folder each."""

    def __post_init__(self) -> None:
        if any(size < 1 for size in self.sizes) or len(set(self.sizes)) < len(self.sizes):
            raise ValueError(f"experiment.sizes is {self.sizes}; name different numbers of at least 1")
        check_model_names("experiment.datasets", self.datasets)
