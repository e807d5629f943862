"""The record of a verification, verification.json beside the weights: it holds for exactly these weights.

It stores the checksum of every file that loading a model may read. If one of them changes, the record does not count.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ...core.storage import sha256_of, write_json
from ..plan import IDENTITY_FILE

VERIFICATION_FILE = "verification.json"
FORMAT = 3
"""Of the record. 2: merged models were compared by whole generated answers."""
_RECORDS = (VERIFICATION_FILE, IDENTITY_FILE, "manifest.json", "log_history.json", "loss.png")
"""Files that loading a model does not read."""


def is_verified(folder: Path) -> bool:
    """Return whether exactly these weights passed their verification."""
    record = read_record(folder)
    return record is not None and record["passed"] is True


def is_refused(folder: Path) -> bool:
    """Return whether exactly these weights failed their verification; false if they were never verified."""
    record = read_record(folder)
    return record is not None and record["passed"] is not True


def state_of(folder: Path) -> Literal["passed", "failed", "not verified"]:
    """Return the result of the verification of exactly these weights."""
    record = read_record(folder)
    return "not verified" if record is None else "passed" if record["passed"] is True else "failed"


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return the record of an earlier verification of exactly these weights; None: there is none."""
    try:
        record = json.loads((folder / VERIFICATION_FILE).read_text(encoding="utf-8"))
        return record if record["format"] == FORMAT and record["sha256"] == _checksums(folder) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(folder: Path, passed: bool, details: Mapping[str, Any]) -> None:
    """Write the result of a verification of the weights in a folder."""
    record = {"format": FORMAT, "passed": passed, "sha256": _checksums(folder), **details}
    write_json(folder / VERIFICATION_FILE, record)


def _checksums(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file that loading may read, over every byte."""
    checksums = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and name not in _RECORDS:
            checksums[name] = sha256_of(file)
    return checksums
