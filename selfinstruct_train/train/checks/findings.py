"""Findings of the checks before and after a training: records, a table, JSON, and the refusal of a training.

The names of all checks are here, because `train.allow` may hold any of them. The checks themselves are elsewhere.
"""

from __future__ import annotations

import dataclasses
import difflib
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["ok", "warning", "error"]

BEFORE_TRAINING = (
    *("eos", "pad_is_eos", "no_label", "truncated", "double_bos", "prompt_in_loss", "template", "vocabulary"),
    *("duplicates", "evaluation_data", "lengths", "memory", "time"),
)
"""The checks of the doctor, in the order in which it makes them."""
AFTER_TRAINING = (
    *("weights_finite", "weights_changed", "tokenizer", "loads", "embeddings", "end_token"),
    *("stops", "repetition", "answers", "merged", "quantized"),
)
"""The checks of a finished model that `train.allow` can accept; incomplete weights are always refused."""

_WIDTH = 118


@dataclass(frozen=True)
class Finding:
    """One check's result; `count` of `total` rows (0 of 0: not about rows), `example` a row or value."""

    check: str
    level: Level
    what: str
    count: int = 0
    total: int = 0
    example: str = ""
    remedy: str = ""


def check_allowed(allow: Sequence[str]) -> None:
    """Refuse a name in train.allow that is no check, before or after a training.

    Raises:
        ValueError: it names the unknown name and the nearest known one.
    """
    known = (*BEFORE_TRAINING, *AFTER_TRAINING)
    for name in allow:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise ValueError(f"train.allow names {name!r}, which is no check; {hint}")


def accept(findings: Iterable[Finding], allow: Sequence[str]) -> tuple[Finding, ...]:
    """Turn the errors of allowed checks into warnings that say so."""
    return tuple(
        dataclasses.replace(finding, level="warning", what=f"{finding.what} (accepted by train.allow)")
        if finding.level == "error" and finding.check in allow
        else finding
        for finding in findings
    )


def refuse(findings: Iterable[Finding]) -> None:
    """Stop if there are errors.

    Raises:
        ValueError: one line with each error and its remedy.
    """
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        reasons = "; ".join(f"{error.check}: {_sentence(error)}: {error.remedy}" for error in errors)
        raise ValueError(
            f"the doctor refuses this training: {reasons} (a name in train.allow accepts that check's error)"
        )


def findings_table(findings: Iterable[Finding]) -> str:
    """Return the findings as a plain text table, errors last, where they are read first."""
    order = ("ok", "warning", "error")
    rows = sorted(findings, key=lambda finding: order.index(finding.level))
    width = max((len(row.check) for row in rows), default=0)
    lines = []
    for row in rows:
        parts = [_sentence(row)]
        parts += [f"for example: {row.example}"] * bool(row.example)
        parts += [f"remedy: {row.remedy}"] * (bool(row.remedy) and row.level != "ok")
        head = f"{row.check:<{width}}  {row.level:<7}  "
        for number, part in enumerate(parts):
            first = head if number == 0 else " " * len(head)
            lines.append(textwrap.fill(part, _WIDTH, initial_indent=first, subsequent_indent=" " * len(head)))
    return "\n".join(lines)


def to_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return the findings as JSON values."""
    return [dataclasses.asdict(finding) for finding in findings]


def _sentence(finding: Finding) -> str:
    if not finding.count:
        return finding.what
    share = 100 * finding.count / finding.total
    digits = 1 if share < 10 else 0
    return f"{finding.what}: {finding.count:,} of {finding.total:,} rows ({share:.{digits}f} %)"
