"""What would spoil a training, found before it costs anything: each finding with count, example and remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One check's result; `count` of `total` rows (or 1 of 1), `example` a row or value, `remedy` what to do."""

    check: str
    level: Literal["ok", "warning", "error"]
    what: str
    count: int = 0
    total: int = 0
    example: str = ""
    remedy: str = ""
