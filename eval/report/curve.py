"""The curve of an experiment `scale`: score against number of instructions, where it stops rising, as page and JSON.

The plateau is the smallest size from which on no interval of the paired difference to the largest size is below zero.
It is a statement on what these examples can tell: "not worse beyond chance" is not "equal", so the page says by how
much the largest may still be better, and where that is much, that no plateau can be seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from selfinstruct_train.core.names import SET_TITLES
from selfinstruct_train.core.storage import write_json, write_text

from ..experiment import METRIC, ArmScore, SetScores, title_of
from .templates import render

WIDE = 0.5
"""Part of the whole rise by which the largest size may at most still be better where a plateau counts as seen."""


@dataclass(frozen=True)
class Plateau:
    """`num_instructions` is where it begins, None where there is none or none can be seen; `words` say which."""

    num_instructions: int | None
    words: str


@dataclass(frozen=True)
class Point:
    """A size on the drawing: x and y in percent of its area from the left and from the bottom."""

    label: str
    value: float
    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Drawing:
    """The geometry of one curve; `ticks` are (percent from the bottom, label), `plateau` percent from the left."""

    points: tuple[Point, ...]
    line: str
    ticks: tuple[tuple[float, str], ...]
    plateau: float | None


def find_plateau(sizes: Sequence[int], arms: Sequence[ArmScore]) -> Plateau:
    """Tell from which size on more instructions make no difference that these examples can show.

    Args:
        sizes: rising, one for each arm; the last arm is the reference of the others' differences.
    """
    assert len(sizes) == len(arms) and arms[-1].difference is None
    if len(arms) < 2:
        return Plateau(None, "One size makes no curve.")
    behind = [arm.difference is not None and arm.difference.high < 0 for arm in arms]
    first = max((i for i, is_behind in enumerate(behind) if is_behind), default=-1) + 1
    largest, told = sizes[-1], _told_of_more(sizes, arms)
    if first == len(arms) - 1:
        words = f"No plateau up to {largest:,} instructions: with {sizes[-2]:,} the score is lower beyond chance, "
        return Plateau(None, f"{words}{_lead(arms[-2])}.{told}")
    lead, nearest = _lead(arms[first]), arms[first].difference
    assert nearest is not None
    shows = f" A difference of {nearest.minimum_detectable:.1f} points would show here four times in five."
    if first == 0:
        return Plateau(
            None,
            f"No plateau can be seen, because no rise can: {largest:,} instructions are not better than {sizes[0]:,} "
            f"beyond chance, {lead}.{shows}{told}",
        )
    words = (
        f"From {sizes[first]:,} instructions on no size is worse than {largest:,} beyond chance: {lead}.{shows}{told}"
    )
    rise = arms[-1].value - min(arm.value for arm in arms)
    doubt, doubtful = max(
        (-a.difference.low, n) for a, n in zip(arms[first:], sizes[first:], strict=True) if a.difference
    )
    if doubt > WIDE * rise:
        return Plateau(
            None,
            f"The intervals are too wide to see a plateau: the largest size may be ahead of {doubtful:,} by "
            f"{doubt:.1f} points, more than half of the whole rise of {rise:.1f}. {words}",
        )
    return Plateau(sizes[first], words)


def write_curve(run_dir: str | Path, sets: Sequence[SetScores], sizes: Mapping[str, tuple[int, int]]) -> list[Path]:
    """Write <run_dir>/curve.json and curve.html.

    Args:
        sizes: number of instructions and of instances of each arm.
    """
    root = Path(run_dir)
    views = [_view(scores, sizes) for scores in sets]
    content = {
        "metric": METRIC,
        "sets": [
            {
                "set": view["scores"].name,
                "base": asdict(view["scores"].base),
                "points": view["rows"],
                "plateau": asdict(view["plateau"]),
            }
            for view in views
        ],
    }
    page = render("curve.html.j2", {"name": title_of(root), "views": views})
    return [write_text(root / "curve.html", page), write_json(root / "curve.json", content)]


def draw(sizes: Sequence[int], arms: Sequence[ArmScore], plateau: int | None) -> Drawing:
    """Lay out the points, sizes on a logarithmic axis and scores between round numbers around all intervals."""
    ticks = _round_ticks(min(arm.low for arm in arms), max(arm.high for arm in arms))
    bottom, height = ticks[0], ticks[-1] - ticks[0]
    logs = [math.log(size) for size in sizes]
    width = logs[-1] - logs[0] or 1.0
    xs = [100 * (log - logs[0]) / width for log in logs]

    def up(value: float) -> float:
        return 100 * (value - bottom) / height

    points = tuple(
        Point(f"{size:,}", arm.value, x, up(arm.value), up(arm.low), up(arm.high))
        for size, arm, x in zip(sizes, arms, xs, strict=True)
    )
    line = " ".join(f"{point.x:.2f},{100 - point.y:.2f}" for point in points)
    at = None if plateau is None else xs[list(sizes).index(plateau)]
    return Drawing(points, line, tuple((up(tick), f"{tick:g}") for tick in ticks), at)


def _view(scores: SetScores, sizes: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    instructions = [sizes[arm.name][0] for arm in scores.arms]
    plateau = find_plateau(instructions, scores.arms)
    rows = [{"instructions": sizes[arm.name][0], "instances": sizes[arm.name][1], **asdict(arm)} for arm in scores.arms]
    return {
        "title": SET_TITLES.get(scores.name, scores.name),
        "scores": scores,
        "rows": rows,
        "plateau": plateau,
        "drawing": draw(instructions, scores.arms, plateau.num_instructions),
    }


def _lead(arm: ArmScore) -> str:
    """Say how far the largest size is ahead of this one."""
    d = arm.difference
    assert d is not None
    return f"the largest is ahead by {-d.value:+z.1f} points [{-d.high:+z.1f}, {-d.low:+z.1f}]"


def _told_of_more(sizes: Sequence[int], arms: Sequence[ArmScore]) -> str:
    better = [size for size, arm in zip(sizes, arms, strict=True) if arm.difference and arm.difference.low > 0]
    if not better:
        return ""
    return f" With {better[-1]:,} instructions the score was higher than with all, beyond chance."


def _round_ticks(low: float, high: float) -> list[float]:
    """Return three to eight round numbers of equal distance that hold both ends."""
    span = max(high - low, 1.0)
    power = 10.0 ** math.floor(math.log10(span / 3))
    step = next(m * power for m in (1, 2, 5, 10) if span / (m * power) <= 5)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(step * number, 10) for number in range(first, max(last, first + 1) + 1)]
