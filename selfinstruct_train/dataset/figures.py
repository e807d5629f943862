"""The pictures of a dataset: verb-noun wheel, lengths, similarity to the seeds (figures 3, 4 and 5 of the paper).

What is drawn is computed by the pure functions above; the drawing below them only lays it out. The same data and the
same matplotlib give the same bytes. White ground, colours of Okabe and Ito, which colour-blind readers can tell apart.
"""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from .verbs import VerbNoun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#B8A800")
_INK, _SOFT = "#222222", "#666666"
_DPI = 150


@dataclass(frozen=True)
class Spoke:
    """A root verb, the number of instructions that have it, and its most frequent nouns with their numbers."""

    verb: str
    count: int
    nouns: tuple[tuple[str, int], ...]

    @property
    def drawn(self) -> int:
        """Instructions that the wheel shows of this verb: those with one of the nouns."""
        return sum(count for _, count in self.nouns)


@dataclass(frozen=True)
class Histogram:
    """Counts of the bins [edge i, edge i + 1); the last bin holds all above it too if `open_ended`."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    mean: float
    open_ended: bool = False


def wheel(pairs: Sequence[VerbNoun | None], num_verbs: int = 20, num_nouns: int = 4) -> list[Spoke]:
    """Return the most frequent verbs and the most frequent nouns of each; ties fall alphabetically.

    Args:
        num_verbs: 20, and `num_nouns` 4: paper, figure 3.
    """
    found = [pair for pair in pairs if pair is not None]
    spokes = []
    for verb, count in _most_common(Counter(pair.verb for pair in found), num_verbs):
        nouns = _most_common(Counter(pair.noun for pair in found if pair.verb == verb), num_nouns)
        spokes.append(Spoke(verb, count, tuple(nouns)))
    return spokes


def length_histogram(texts: Sequence[str], num_bins: int = 25) -> Histogram:
    """Count texts by their number of words, in bins of equal whole width; the longest 1 % fall into the last bin.

    Edges lie half a word below whole numbers, so that a mean stands where it belongs among the bars.
    """
    lengths = sorted(len(text.split()) for text in texts)
    if not lengths:
        return Histogram((-0.5, 0.5), (0,), 0.0)
    top = lengths[math.ceil(0.99 * len(lengths)) - 1] + 1
    width = max(1, math.ceil(top / num_bins))
    number = math.ceil(top / width)
    counts = Counter(min(length // width, number - 1) for length in lengths)
    edges = tuple(i * width - 0.5 for i in range(number + 1))
    return Histogram(
        edges,
        tuple(counts[i] for i in range(number)),
        sum(lengths) / len(lengths),
        open_ended=lengths[-1] >= number * width,
    )


def similarity_histogram(values: Sequence[float], num_bins: int = 20) -> Histogram:
    """Count ROUGE-L values in [0, 1]; 1 itself falls into the last bin."""
    counts = Counter(min(int(value * num_bins + 1e-9), num_bins - 1) for value in values)
    edges = tuple(i / num_bins for i in range(num_bins + 1))
    mean = sum(values) / len(values) if values else 0.0
    return Histogram(edges, tuple(counts[i] for i in range(num_bins)), mean)


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Move ascending positions as little as needed (least squares) until each is at least `gap` above the last."""
    blocks: list[list[float]] = []  # (sum of wanted - index * gap, number) of positions that touch
    for i, position in enumerate(wanted):
        blocks.append([position - i * gap, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, number = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += number
    bases = [total / number for total, number in blocks for _ in range(int(number))]
    return [base + i * gap for i, base in enumerate(bases)]


def draw_wheel(spokes: Sequence[Spoke]) -> bytes:
    """Draw verbs inside and their nouns outside, as a PNG; every slice is as wide as the instructions it stands for."""
    figure = _figure(9, 9)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(-1.42, 1.42), ylim=(-1.42, 1.42))
    axes.set_aspect("equal")
    axes.axis("off")
    total = sum(spoke.drawn for spoke in spokes)
    labels: list[tuple[float, str, str]] = []  # angle, noun, colour
    start = 0.0
    for i, spoke in enumerate(spokes):
        colour = _COLOURS[i % len(_COLOURS)]
        if i == len(spokes) - 1 and i and i % len(_COLOURS) == 0:
            colour = _COLOURS[3]  # not that of its neighbour, the first
        width = 360 * spoke.drawn / total
        _slice(axes, start, width, 0.28, 0.68, colour)
        text = _shortened(spoke.verb, 13)
        size = min(12.0, 90 * math.radians(width), 126 / max(4, len(text)))  # points that fit the slice
        _radial_text(axes, start + width / 2, 0.48, text, size, _readable_on(colour), centre=True)
        for j, (noun, count) in enumerate(spoke.nouns):
            part = 360 * count / total
            _slice(axes, start, part, 0.69, 0.93, _tint(colour, 0.35 + 0.13 * j))
            labels.append((start + part / 2, noun, colour))
            start += part
    _outer_labels(axes, labels)
    return _png(figure)


def draw_lengths(histograms: Sequence[tuple[str, Histogram]]) -> bytes:
    """Draw the named histograms of lengths in words side by side, as a PNG."""
    from matplotlib.ticker import MaxNLocator

    figure = _figure(4 * len(histograms), 3.4, layout="constrained")
    for i, (name, histogram) in enumerate(histograms):
        axes = figure.add_subplot(1, len(histograms), i + 1)
        _bars(axes, histogram, _COLOURS[(0, 2, 3)[i % 3]])
        axes.set_title(name, fontsize=11, color=_INK)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        axes.set_xlabel("words" + (" (last bar: and more)" if histogram.open_ended else ""))
        _mean_line(axes, histogram, f"mean {histogram.mean:.1f}")
    return _png(figure)


def draw_similarity(histogram: Histogram, threshold: float | None = None) -> bytes:
    """Draw the ROUGE-L of each generated instruction to the seed most similar to it, as a PNG."""
    figure = _figure(7, 3.8, layout="constrained")
    axes = figure.add_subplot()
    _bars(axes, histogram, _COLOURS[0])
    axes.set(xlim=(0, 1), xlabel="ROUGE-L to the most similar seed instruction", ylabel="generated instructions")
    if threshold is not None:
        axes.axvline(threshold, color=_COLOURS[3], linewidth=1.4, linestyle=(0, (4, 3)))
        _note(axes, threshold, f"filter at {threshold:g}", _COLOURS[3], to_the_left=False)
    _mean_line(axes, histogram, f"mean {histogram.mean:.2f}")
    return _png(figure)


def _most_common(counts: Counter[str], number: int) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:number]


def _figure(width: float, height: float, layout: Literal["constrained"] | None = None) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _png(figure: Figure) -> bytes:
    """Render; a palette of 256 colours makes a quarter of the bytes, and nothing of the moment is written along."""
    from PIL import Image

    figure.set_dpi(_DPI)
    canvas = cast("FigureCanvasAgg", figure.canvas)
    canvas.draw()
    size = canvas.get_width_height(physical=True)
    pixels = Image.frombytes("RGBA", size, bytes(canvas.buffer_rgba())).convert("RGB")
    buffer = io.BytesIO()
    pixels.quantize(256, dither=Image.Dither.NONE).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _bars(axes: Axes, histogram: Histogram, colour: str) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    widths = [b - a for a, b in zip(histogram.edges, histogram.edges[1:], strict=False)]
    axes.bar(
        histogram.edges[:-1], histogram.counts, widths, align="edge", color=colour, edgecolor="white", linewidth=0.6
    )
    axes.set_xlim(histogram.edges[0], histogram.edges[-1])
    axes.set_ylim(
        0, max(1, *histogram.counts) * 1.16 if len(histogram.counts) > 1 else max(1, histogram.counts[0]) * 1.16
    )
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.tick_params(colors=_SOFT, labelsize=9)
    axes.grid(axis="y", alpha=0.25)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#bbbbbb")


def _mean_line(axes: Axes, histogram: Histogram, text: str) -> None:
    """Mark the mean, its label on the side where there is room."""
    axes.axvline(histogram.mean, color=_INK, linewidth=1.2)
    _note(axes, histogram.mean, text, _INK, to_the_left=histogram.mean > 0.55 * histogram.edges[-1])


def _note(axes: Axes, x: float, text: str, colour: str, *, to_the_left: bool) -> None:
    """Write beside a vertical line, at the top of the plot."""
    axes.annotate(
        text,
        (x, 1),
        xytext=(-4 if to_the_left else 4, -4),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        va="top",
        ha="right" if to_the_left else "left",
        fontsize=9.5,
        color=colour,
    )


def _slice(axes: Axes, start: float, width: float, inner: float, outer: float, colour: str) -> None:
    """A ring's part, clockwise from the top; angles in degrees."""
    from matplotlib.patches import Wedge

    end = 90 - start
    axes.add_patch(
        Wedge((0, 0), outer, end - width, end, width=outer - inner, facecolor=colour, edgecolor="white", linewidth=0.7)
    )


def _outer_labels(axes: Axes, labels: Sequence[tuple[float, str, str]]) -> None:
    """Write the nouns around the wheel, moved apart where slices are narrow, each with a line to its slice."""
    gap = min(2.6, 352 / max(1, len(labels)))  # degrees; 2.6 hold a line of 9.5 points
    angles = spread([angle for angle, _, _ in labels], gap)
    if angles and angles[-1] - angles[0] > 360 - gap:  # the last ran into the first over the top
        angles = [labels[0][0] + (angle - angles[0]) * (360 - gap) / (angles[-1] - angles[0]) for angle in angles]
    for angle, (slice_angle, noun, colour) in zip(angles, labels, strict=True):
        points = [_point(slice_angle, 0.935), _point(slice_angle, 0.955), _point(angle, 1.035), _point(angle, 1.05)]
        axes.plot([x for x, _ in points], [y for _, y in points], color=colour, linewidth=0.7)
        _radial_text(axes, angle, 1.06, _shortened(noun, 14), 9.5, _INK, centre=False)


def _radial_text(axes: Axes, angle: float, radius: float, text: str, size: float, colour: str, *, centre: bool) -> None:
    """Write along the radius, never upside down; `centre`: around `radius`, else outwards from it."""
    x, y = _point(angle, radius)
    right = angle % 360 < 180
    axes.text(
        x, y, text, rotation=90 - angle if right else 270 - angle, rotation_mode="anchor", fontsize=size, color=colour,
        ha="center" if centre else "left" if right else "right", va="center", fontweight="bold" if centre else "normal",
        parse_math=False,
    )  # fmt: skip


def _point(angle: float, radius: float) -> tuple[float, float]:
    return radius * math.sin(math.radians(angle)), radius * math.cos(math.radians(angle))


def _shortened(word: str, length: int) -> str:
    return word if len(word) <= length else word[: length - 1] + "…"


def _readable_on(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#ffffff" if 0.3 * red + 0.59 * green + 0.11 * blue < 125 else "#111111"


def _tint(colour: str, lightness: float) -> str:
    """Mix a colour with white; lightness 0 keeps it, 1 is white."""
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(part + (255 - part) * lightness):02x}" for part in parts)
