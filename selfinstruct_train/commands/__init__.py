"""One command per file: read the config, call the library, print."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .verb import Verb

GROUPS = {
    "The loop": ("generate", "train", "eval", "run"),
    "Before it": ("data", "probe", "forecast", "doctor"),
    "The dataset": ("describe", "refilter", "relabel", "quality", "merge", "similarity", "export", "convert"),
    "After it": ("verify", "judge", "annotate", "compare", "paper", "publish"),
    "Experiments": ("scale", "distill", "baselines"),
    "Set-up": ("configs", "init"),
}
"""Every verb, in the order of the overview; each is the file of its name."""

NAMES = tuple(name for names in GROUPS.values() for name in names)


def load_verb(name: str) -> Verb:
    """Return a verb of `NAMES`; only its own file is imported."""
    verb: Verb = importlib.import_module(f"{__name__}.{name}").VERB
    return verb
