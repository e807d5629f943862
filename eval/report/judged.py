"""What a judge and what people said of the answers, arranged for the report: <run_dir>/eval/judge.json and people.json.

Figures are read, never computed, but for shares of counts. The texts in both (prompts, raters' names, instructions) are
others' words and are escaped by the templates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from selfinstruct_train.core.names import USER_ORIENTED
from selfinstruct_train.core.paper_numbers import AGREEMENT, PEOPLE
from selfinstruct_train.core.storage import read_object

from ..people.rubric import GRADES
from .views import on_one_axis

_PAPER = {key: value for key, _, value in AGREEMENT}
_AGREEMENT = (
    ("kappa", "Cohen's kappa, A to D"),
    ("weighted_kappa", "Cohen's kappa, weighted"),
    ("acceptable_kappa", "Cohen's kappa, acceptable (A, B) or not"),
    ("alpha", "Krippendorff's alpha"),
    ("spearman", "Spearman's rho"),
)
_BIAS = (
    ("first", "of its verdicts on pairs are for the answer shown first"),
    ("longer", "of its verdicts on pairs are for the longer answer"),
    ("consistency", "of the pairs have one verdict in both orders"),
)
_MAX_LISTED = 20

Fingerprints = Mapping[str, Mapping[str, str]]
"""Of each set, of each system's answers: `scores.Evaluation.fingerprints`."""


def read_judge(run_dir: str, scored: Fingerprints) -> dict[str, Any] | None:
    """Return the judge's ratings, pairs, bias and calibration as the templates draw them; None where there is no file.

    Args:
        scored: of the answers that the report is about; systems with others are named as outdated.

    Raises:
        ValueError: the file is not what `selfinstruct judge` writes.
    """
    return _read(Path(run_dir) / "eval" / "judge.json", "selfinstruct judge", _judge_view, scored)


def read_people(run_dir: str, scored: Fingerprints) -> dict[str, Any] | None:
    """Return people's ratings and their agreement as the templates draw them; None where there is no file.

    Args:
        scored: as for `read_judge`.

    Raises:
        ValueError: the file is not what `selfinstruct annotate` writes.
    """
    return _read(Path(run_dir) / "eval" / "people.json", "selfinstruct annotate", _people_view, scored)


def _read(
    path: Path, command: str, view: Callable[[dict[str, Any]], dict[str, Any]], scored: Fingerprints
) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    record = read_object(path)
    try:
        now = scored.get(record["set"], {})
        outdated = [name for name, then in record["answers"].items() if now.get(name) != then]
        return view(record) | {"outdated": outdated}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: not as `{command}` writes it ({error!r}); delete it and give that again") from None


def _judge_view(record: dict[str, Any]) -> dict[str, Any]:
    pairs = record.get("pairwise") or {"against": "", "systems": {}}
    bias = record.get("bias") or {}
    return {
        "lm": str(record["lm"]),
        "set": str(record["set"]),
        "num_examples": int(record["num_examples"]),
        "prompts": [(name, text, record["prompt_sha256"][name]) for name, text in record["prompts"].items()],
        "grades": [_grades(system, counts) for system, counts in record["rating"].items()],
        "against": pairs["against"],
        "pairs": [_pair(system, counts) for system, counts in pairs["systems"].items()],
        "comparisons": on_one_axis(record["comparisons"]),
        "bias": [(label, _figure(bias[key])) for key, label in _BIAS if _figure(bias.get(key)) is not None],
        "warnings": [str(text) for text in bias.get("warnings", [])],
        "calibration": _calibration(record.get("calibration")),
    }


def _calibration(record: dict[str, Any] | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {
        "n": int(record["n"]),
        "note": record.get("note"),
        "agreement": _agreement(record),
        "accuracy": record.get("accuracy"),
        "accuracy_interval": record["intervals"].get("accuracy"),
        "by_grade": [(grade, list(counts.items())) for grade, counts in (record.get("by_grade") or {}).items()],
    }


def _agreement(record: dict[str, Any]) -> list[tuple[str, float, tuple[float, float] | None, float | None]]:
    """Each measure that the grades define: its name, the figure, its interval, and two people's in the paper."""
    ends = record["intervals"]
    found = []
    for key, label in _AGREEMENT:
        if record.get(key) is not None:
            interval = (float(ends[key][0]), float(ends[key][1])) if ends.get(key) else None
            found.append((label, float(record[key]), interval, _PAPER.get(key)))
    return found


def _people_view(record: dict[str, Any]) -> dict[str, Any]:
    agreement = record["agreement"]
    return {
        "set": str(record["set"]),
        "raters": [str(rater) for rater in record["raters"]],
        "num_items": int(record["num_items"]),
        "grades": [_grades(system, counts) for system, counts in record["systems"].items()],
        "comparisons": on_one_axis(record["comparisons"]),
        "agreement": _agreement(agreement),
        "num_double": int(agreement["num_double"]),
        "disagreements": list(record.get("disagreements", []))[:_MAX_LISTED],
        "num_disagreements": len(record.get("disagreements", [])),
        "comments": list(record.get("comments", []))[:_MAX_LISTED],
        "paper": [_grades(name, dict(zip(GRADES, counts, strict=True))) for name, counts in PEOPLE.items()]
        if record["set"] == USER_ORIENTED
        else [],
    }


def _grades(system: str, counts: dict[str, Any]) -> dict[str, Any]:
    """One system's stacked bar: of each level its count and share in percent."""
    total = sum(int(counts.get(grade, 0)) for grade in GRADES)
    return {
        "system": system,
        "total": total,
        "levels": [(g, int(counts.get(g, 0)), 100 * int(counts.get(g, 0)) / total if total else 0.0) for g in GRADES],
        "unreadable": int(counts.get("unreadable", 0)),
        "acceptable": _figure(counts.get("acceptable")),
    }


def _pair(system: str, counts: dict[str, Any]) -> dict[str, Any]:
    numbers = {key: int(counts.get(key, 0)) for key in ("wins", "losses", "ties", "flips", "unreadable")}
    controlled = _figure(counts.get("length_controlled"))
    told = {key: counts.get(key) for key in ("verdict", "length_note")}
    return {
        "system": system,
        **numbers,
        **told,
        "win_rate": _figure(counts.get("win_rate")),
        "length_controlled": controlled,
    }


def _figure(record: dict[str, Any] | None) -> dict[str, float] | None:
    """A value and the ends of its interval; None where it could not be had."""
    if record is None or record.get("value") is None:
        return None
    return {key: float(record[key]) for key in ("value", "low", "high")} | {"n": int(record["n"])}
