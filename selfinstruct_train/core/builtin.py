"""Names of what the package carries: `builtin:tiny`, `builtin:english`.

The tiny model, its seed tasks and prompts make a whole run possible without a network; the English set is for real
models.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

ASSETS = Path(__file__).parents[1] / "assets"
PREFIX = "builtin:"

_PATHS = {
    "model": {"tiny": "models/tiny"},
    "seed_tasks": {"english": "seed_tasks/english.jsonl", "tiny": "seed_tasks/tiny.jsonl"},
    "templates": {"english": "templates/english", "tiny": "templates/tiny"},
}


def resolve(value: str, kind: Literal["model", "seed_tasks", "templates"]) -> str:
    """Turn `builtin:<name>` into the path of that asset; any other value is returned as it is.

    Raises:
        ValueError: no such built-in thing.
    """
    if not value.startswith(PREFIX):
        return value
    name = value.removeprefix(PREFIX)
    if name not in _PATHS[kind]:
        known = ", ".join(PREFIX + n for n in _PATHS[kind])
        raise ValueError(f"{kind} {value!r} is not built in; known: {known}")
    return str(ASSETS / _PATHS[kind][name])
