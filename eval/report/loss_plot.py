"""The geometry of the loss curves: lines and ticks in percent of the plot's area, for the report's template to draw.

The template stretches the lines and sets the labels as text, so they stay readable at any width and in either theme.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_MAX_POINTS = 400


@dataclass(frozen=True)
class Tick:
    """A label at `position` percent from the left or the bottom."""

    position: float
    label: str


@dataclass(frozen=True)
class Line:
    """One mixture's curve: `points` as an SVG polyline in a 100 x 100 box, y downwards."""

    name: str
    points: str
    first: float
    last: float
    num_steps: int
    num_lost: int
    """Logged steps whose loss is no finite number; they are not drawn."""


@dataclass(frozen=True)
class LossPlot:
    """Everything the template needs."""

    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def plot_losses(losses: dict[str, list[tuple[int, float | None]]]) -> LossPlot | None:
    """Lay out the curves on common axes from zero; None if no curve has a point. A loss of None is no finite number."""
    curves = {name: _thin([(s, v) for s, v in points if v is not None]) for name, points in losses.items()}
    curves = {name: points for name, points in curves.items() if points}
    if not curves:
        return None
    x_max = max(step for points in curves.values() for step, _ in points)
    y_values = _round_steps(max(value for points in curves.values() for _, value in points))
    x_values = [x for x in _round_steps(x_max) if x <= x_max and x == int(x)]
    y_max = y_values[-1]
    lines = tuple(
        Line(
            name,
            " ".join(f"{100 * step / x_max:.2f},{100 - 100 * value / y_max:.2f}" for step, value in points),
            points[0][1],
            points[-1][1],
            int(points[-1][0]),
            sum(loss is None for _, loss in losses[name]),
        )
        for name, points in curves.items()
    )
    return LossPlot(
        lines,
        tuple(Tick(100 * x / x_max, f"{x:,.0f}") for x in x_values if x),
        tuple(Tick(100 * y / y_max, f"{y:g}") for y in y_values),
    )


def _thin(points: list[tuple[int, float]]) -> list[tuple[float, float]]:
    """Average neighbouring points so that a long training draws at most `_MAX_POINTS`."""
    size = math.ceil(len(points) / _MAX_POINTS) or 1
    if size == 1:
        return [(float(step), value) for step, value in points]
    groups = [points[start : start + size] for start in range(0, len(points), size)]
    return [(float(g[-1][0]), sum(value for _, value in g) / len(g)) for g in groups]


def _round_steps(largest: float) -> list[float]:
    """Return 0 and round numbers of equal distance up to at least `largest`, about five of them."""
    if largest <= 0:
        return [0.0, 1.0]
    power = 10 ** math.floor(math.log10(largest / 4))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if 4.5 * m * power >= largest)
    return [round(i * step, 10) for i in range(math.ceil(largest / step - 1e-9) + 1)]
