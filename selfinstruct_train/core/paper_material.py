"""Where the paper's own material lies, and the command that gets it: the remedy wherever a file of it is missing."""

from __future__ import annotations

from pathlib import Path

DATA = "data"
"""The folder that `selfinstruct data` fills by default."""
SELF_INSTRUCT, NATURAL_INSTRUCTIONS = "self-instruct", "natural-instructions"
"""The folders in it."""


def how_to_get(path: str | Path) -> str:
    """Return "`selfinstruct data` gets it", with --data where the folder is another one; empty: it is not of the paper.

    Args:
        path: a path in the folder `self-instruct` or `natural-instructions` of a data folder.
    """
    parts = Path(path).parts
    at = next((i for i, part in enumerate(parts) if part in (SELF_INSTRUCT, NATURAL_INSTRUCTIONS)), None)
    if at is None:
        return ""
    data = str(Path(*parts[:at]))
    return f"`selfinstruct data{'' if data == DATA else f' --data {data}'}` gets it"
