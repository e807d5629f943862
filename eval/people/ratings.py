"""What people clicked: one append-only file a rater, <run_dir>/annotations/<set>/<rater>.jsonl, one line a click.

A line is on disk before the page says "saved"; the last click on a field counts, and null takes it back. A grade
belongs to one text: the line carries a fingerprint of what was shown, so grades of an older model's answer stay in the
file but do not count for its new one. Which texts are shown is none of this module's business.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from ..examples import Example
from .rubric import GRADES

ADJUDICATED = "adjudicated"
"""The rater whose decisions are final, where others differ."""
GRADE, COMMENT, REFERENCES_SHOWN = "grade", "comment", "references_shown"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


class Field(NamedTuple):
    """What a click is about; `answer` is the fingerprint of the text shown, whichever system gave it."""

    item: str
    answer: str
    field: str


@dataclass(frozen=True)
class Click:
    """One line of a rater's file.

    `system` gave the answer (None where none is judged; systems that answered alike have a line each), `value` None
    takes the last one back, `time` is UTC.
    """

    item: str
    system: str | None
    answer: str
    field: str
    value: str | None
    time: str

    @property
    def about(self) -> Field:
        return Field(self.item, self.answer, self.field)


def fingerprint(*texts: str) -> str:
    """Return 16 hex digits that stand for these texts."""
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]


def answer_fingerprint(example: Example, answer: str) -> str:
    """Return what a grade of this answer to this question is filed under; space around an answer makes no other."""
    return fingerprint(example.instruction, example.input, answer.strip())


def folder_of(run_dir: str | Path, set_name: str) -> Path:
    return Path(run_dir) / "annotations" / set_name


def check_rater(name: str) -> str:
    """Return the name.

    Raises:
        ValueError: it cannot name a file, or means the adjudication.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name[:60]!r} is no rater's name: 1 to 40 of the letters a to z, digits, '.', '_' and '-', beginning "
            "with a letter or digit"
        )
    if name.lower() == ADJUDICATED:
        raise ValueError(f"{name!r} is kept for the decisions between raters; take another name")
    return name


def raters(run_dir: str | Path, set_name: str) -> list[str]:
    """Return the names of all who have a file, sorted, the adjudication left out."""
    names = (path.stem for path in folder_of(run_dir, set_name).glob("*.jsonl") if _NAME.fullmatch(path.stem))
    return sorted(name for name in names if name != ADJUDICATED)


def append_clicks(path: Path, clicks: Iterable[Click]) -> None:
    """Add lines and wait until they are on disk; a torn last line is cut first. Several writers take turns.

    Raises:
        OSError: it cannot be written.
    """
    data = "".join(json.dumps(asdict(c), ensure_ascii=False) + "\n" for c in clicks).encode("utf-8", "replace")
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    with os.fdopen(fd, "rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # let go of when the file is closed
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)
        file.seek(0, os.SEEK_END)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def read_clicks(path: Path) -> list[Click]:
    """Return the clicks in their order; none where there is no file. A torn last line is left out.

    Raises:
        ValueError: a line is no click.
    """
    if not path.is_file():
        return []
    content = path.read_bytes()
    clicks = []
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            record = json.loads(line)
            click = Click(**record)
            if not all(isinstance(v, str) or (v is None and k in ("system", "value")) for k, v in record.items()):
                raise TypeError("what should be text is something else")
            if click.field == GRADE and click.value not in (*GRADES, None):
                raise ValueError(f"{click.value!r} is no grade")
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}:{number}: not a rater's click ({error}); delete this line") from None
        clicks.append(click)
    return clicks


def last_values(clicks: Iterable[Click]) -> dict[Field, str]:
    """Return what counts: of each field the last value, in the order of these last clicks."""
    values: dict[Field, str] = {}
    for click in clicks:
        values.pop(click.about, None)
        if click.value is not None:
            values[click.about] = click.value
    return values


def read_values(run_dir: str | Path, set_name: str) -> dict[str, dict[Field, str]]:
    """Return what counts of every rater, by name; the adjudication comes last, where there is one."""
    folder = folder_of(run_dir, set_name)
    values = {name: last_values(read_clicks(folder / f"{name}.jsonl")) for name in raters(run_dir, set_name)}
    decided = last_values(read_clicks(folder / f"{ADJUDICATED}.jsonl"))
    return {**values, ADJUDICATED: decided} if decided else values


def agreed(choices: Mapping[str, str], options: Sequence[str] = GRADES) -> str:
    """Return the choice that stands for all raters': the adjudicated one, else their mean.

    The mean is rounded to the nearest of `options` (best first), and to the worse of two: A and B make B.
    """
    if ADJUDICATED in choices:
        return choices[ADJUDICATED]
    levels = [options.index(choice) for choice in choices.values()]
    return options[(2 * sum(levels) + len(levels)) // (2 * len(levels))]


def final_grades(
    run_dir: str | Path, set_name: str, examples: Sequence[Example], answers: Mapping[str, Sequence[str]]
) -> dict[tuple[str, str], str]:
    """Return the agreed grade of each of these very answers that was rated, by (example id, system).

    Args:
        answers: of each system, in the order of the examples.
    """
    values = read_values(run_dir, set_name)
    grades = {}
    for system, texts in answers.items():
        for example, text in zip(examples, texts, strict=True):
            about = Field(example.id, answer_fingerprint(example, text), GRADE)
            given = {rater: of_rater[about] for rater, of_rater in values.items() if about in of_rater}
            if given:
                grades[example.id, system] = agreed(given)
    return grades
