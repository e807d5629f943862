"""What each system is called on a page, and in which colour.

The run's own systems have strong colours of their own, further models one of eight, published ones one quiet grey: they
are known by their rows. The colours stand in data/report.css, for light and dark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from selfinstruct_train.core.names import BASE, BASE_CUT, SEEDS, SEEDS_AND_GENERATED

_OWN = {
    BASE: ("Base", "Base", "s-base"),
    BASE_CUT: ("Base, cut", "Cut", "s-cut"),
    SEEDS: ("Tuned on seeds", "Seeds", "s-seeds"),
    SEEDS_AND_GENERATED: ("Tuned on seeds + generated", "+ generated", "s-tuned"),
}
_NUM_COLORS = 8


@dataclass(frozen=True)
class Look:
    """`short` stands over a narrow column; `color` is a class of report.css."""

    label: str
    short: str
    color: str
    kind: str


def make_looks(kinds: Mapping[str, str], labels: Mapping[str, str] | None = None) -> Callable[[str], Look]:
    """Return a function from a system's name to its look; an unknown name looks as a published system does.

    Args:
        kinds: of each system, in the order in which colours are given out.
        labels: names to show in place of the usual ones.
    """
    looks: dict[str, Look] = {}
    number = 0
    for name, kind in kinds.items():
        label = (labels or {}).get(name)
        if name in _OWN:
            usual, short, color = _OWN[name]
            looks[name] = Look(label or usual, label or short, color, kind)
        elif kind == "published":
            looks[name] = Look(label or name, label or name, "s-published", kind)
        else:
            number += 1
            looks[name] = Look(label or name, label or name, f"s-{(number - 1) % _NUM_COLORS + 1}", kind)
    return lambda name: looks.get(name, Look(name, name, "s-published", "published"))
