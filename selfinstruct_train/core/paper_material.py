"""Where the paper's own material lies, and the command that gets it: the remedy wherever a file of it is missing."""

from __future__ import annotations

import shlex
from pathlib import Path

DATA = "data"
"""The folder that `selfinstruct data` fills by default."""
SELF_INSTRUCT, NATURAL_INSTRUCTIONS = "self-instruct", "natural-instructions"
"""The folders in it."""
_CONTENTS = {
    SELF_INSTRUCT: (
        "seed_tasks.jsonl",
        "templates",
        "human_eval/user_oriented_instructions.jsonl",
        "human_eval/predictions",
    ),
    NATURAL_INSTRUCTIONS: ("tasks", "splits/default"),
}
"""The files and folders that `selfinstruct data` puts into each folder."""


def how_to_get(path: str | Path) -> str:
    """Return "`selfinstruct data` gets it", with --data where the folder is another one; empty: the command does not.

    Args:
        path: the folder `self-instruct` or `natural-instructions` of a data folder, or a path in it.
    """
    parts = Path(path).parts
    for at, part in enumerate(parts):
        rest = Path(*parts[at + 1 :])
        contents = map(Path, _CONTENTS.get(part, ()))
        if any(rest.is_relative_to(content) or content.is_relative_to(rest) for content in contents):
            data = str(Path(*parts[:at]))
            return f"`selfinstruct data{'' if data == DATA else f' --data {shlex.quote(data)}'}` gets it"
    return ""
