"""Settings of publishing to the Hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ..core.names import SEEDS_AND_GENERATED, Mixture
from .ranges import check_choices


@dataclass(frozen=True)
class PublishConfig:
    """`selfinstruct publish`: upload a trained model and its dataset to the Hub. A dry run unless `push` is true."""

    model_repo: str | None = None
    """Hub repository for the model, "name/repo"; null: do not publish the model."""
    dataset_repo: str | None = None
    """Hub repository for the dataset; null: do not publish the dataset."""
    mixture: Mixture = SEEDS_AND_GENERATED
    """The trained model to publish, by its training data."""
    weights: Literal["model", "adapter", "both"] = "model"
    """For LoRA runs. model: merged model; adapter: adapter only; both: merged model, with the adapter in `adapter`."""
    revision: str = "main"
    """Branch to commit to; created if it does not exist."""
    private: bool = True
    """Create new repositories as private."""
    push: bool = False
    """Upload. false: only list what would be uploaded."""
    force: bool = False
    """Publish even if the model is not verified, not evaluated or was trained on other data. Its card says so."""

    def __post_init__(self) -> None:
        check_choices("publish", self)
        for name in ("model_repo", "dataset_repo"):
            repo = getattr(self, name)
            if repo is not None and not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
                raise ValueError(
                    f"publish.{name} is {repo!r}; it must be the name of a Hub repository, e.g. my-name/my-model"
                )
