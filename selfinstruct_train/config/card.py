"""Settings of the dataset card: what cannot be computed from the run."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class CardConfig:
    """`selfinstruct describe`: the parts of the dataset card that cannot be computed."""

    dataset: str | None = None
    """Folder of rows to describe; null: the run's dataset."""
    name: str | None = None
    """Title of the card; null: made from the run's name."""
    license: str | None = None
    """Hub licence id, e.g. apache-2.0; null: the licence of model and seed tasks if known, else `other`."""
    language: str = "en"
    """ISO 639 language code, e.g. en, de, zh."""

    def __post_init__(self) -> None:
        if self.license is not None and not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", self.license):
            raise ValueError(f"card.license is {self.license!r}; it must be a licence id of the Hub, e.g. apache-2.0")
        if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]+)*", self.language):
            raise ValueError(f"card.language is {self.language!r}; it must be a code of ISO 639, e.g. en")
