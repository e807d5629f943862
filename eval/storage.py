"""Derived files (predictions, scores, reports) are replaced whole: a reader or a crash never sees half of one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def replace_text(path: Path, text: str) -> Path:
    """Write `text` to `path` by way of a neighbouring file, making the folder if missing; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def replace_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """Write one JSON object a line; return the path."""
    return replace_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
