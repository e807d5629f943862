"""What goes to the Hub, and where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ..core.names import SEEDS_AND_GENERATED, Mixture
from .ranges import check_choices


@dataclass(frozen=True)
class PublishConfig:
    """`selfinstruct publish`: a trained model and its dataset to the Hub; a dry run unless `push` is set."""

    model_repo: str | None = None
    """Hub repository of the model, "name/repo"; null: the model is not published."""
    dataset_repo: str | None = None
    """Hub repository of the dataset; null: the dataset is not published."""
    mixture: Mixture = SEEDS_AND_GENERATED
    """Which trained model of the run."""
    weights: Literal["model", "adapter", "both"] = "model"
    """Of a run with LoRA: the merged model, the adapter, or the model with the adapter in its folder `adapter`."""
    revision: str = "main"
    """Branch to commit to; made if missing."""
    private: bool = True
    push: bool = False
    """Upload; else only tell what would be."""
    force: bool = False
    """Publish a model that is not verified, has no evaluation, or was trained on other data; its card says so."""

    def __post_init__(self) -> None:
        check_choices("publish", self)
        for name in ("model_repo", "dataset_repo"):
            repo = getattr(self, name)
            if repo is not None and not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
                raise ValueError(
                    f"publish.{name} is {repo!r}; it must be the name of a Hub repository, e.g. my-name/my-model"
                )
