"""Nested subsets of a dataset by number of instructions, for the curve of quality against data (paper, figure 7).

The order is fixed by the run itself: the seed instructions first, then the generated ones as the run accepted them, so
each set holds every smaller one, and no draw decides. An instruction comes with all its instances.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..core.records import Row

NEARLY_ALL = 2**0.5
"""A doubled size that all instructions exceed by less than this factor is left out: it would be nearly the same set."""


def nested_subsets(rows: Sequence[Row], sizes: Sequence[int] = ()) -> dict[int, list[Row]]:
    """Return for each size, smallest first, the rows of so many instructions, in the dataset's order.

    Args:
        sizes: numbers of instructions, seeds included; empty: the seeds, then doubled up to all.

    Raises:
        ValueError: there is no such number of instructions, or no generated one at all.
    """
    order = dict.fromkeys(row.instruction_id for row in rows if row.source == "seed")
    num_seeds = len(order)
    order |= dict.fromkeys(row.instruction_id for row in rows)
    if not sizes and not 0 < num_seeds < len(order):
        raise ValueError(
            f"of {len(order)} instructions {num_seeds} are seeds; sizes can only be doubled from the seeds up to all: "
            "name experiment.sizes"
        )
    if sizes and max(sizes) > len(order):
        raise ValueError(f"experiment.sizes names {max(sizes)}, but the dataset has {len(order)} instructions")
    position = {instruction: index for index, instruction in enumerate(order)}
    wanted = sorted(sizes) or doubled_sizes(num_seeds, len(order))
    return {size: [row for row in rows if position[row.instruction_id] < size] for size in wanted}


def doubled_sizes(first: int, last: int) -> list[int]:
    """Return `first`, its doubles, and `last`; e.g. 175, 350, 700, 1400 and so on."""
    sizes = [first]
    while sizes[-1] * 2 * NEARLY_ALL < last:
        sizes.append(sizes[-1] * 2)
    return [*sizes, last] if sizes[-1] < last else sizes
