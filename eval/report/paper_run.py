"""What the pages on the paper are made of: its tables and figures as `Item`s of `Line`s, and the run they tell of.

Files of the run are read and checked here, and the commands that bring missing ones are worded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfinstruct_train.config import Config
from selfinstruct_train.core.builtin import PREFIX
from selfinstruct_train.core.storage import read_json

PICTURE = "a picture"
"""The paper's side where it shows no figure."""


@dataclass(frozen=True)
class Line:
    """A number of the paper and ours; either may be empty."""

    what: str
    paper: str
    ours: str = ""


@dataclass(frozen=True)
class Item:
    """A table or figure; `missing` are commands that bring what of ours is not there yet."""

    place: str
    title: str
    lines: tuple[Line, ...]
    note: str = ""
    missing: tuple[str, ...] = ()


class RunFolder:
    """A run's folder and the words of its commands; `files` are those read for an item, for messages."""

    def __init__(self, config: Config, words: str = "CONFIG") -> None:
        self.config = config
        self.words = words
        self.root = Path(config.run_dir)
        self.files: list[Path] = []

    def command(self, verb: str, arguments: str = "") -> str:
        """Return what to type; `arguments` are settings besides the run's own."""
        return f"selfinstruct {verb} {self.words} {arguments}".rstrip()

    def read(self, name: str) -> Any:
        """Return the content of a JSON file of the run, None where there is none."""
        path = self.root / name
        if not path.is_file():
            return None
        self.files.append(path)
        return read_json(path)


def shown_name(path: str) -> str:
    """A built-in name or Hub id as it is, of a folder or file the last part."""
    is_local = path.startswith((".", "/", "~")) or path.count("/") > 1 or Path(path).exists()
    return Path(path).name if is_local and not path.startswith((PREFIX, "hub:")) else path
