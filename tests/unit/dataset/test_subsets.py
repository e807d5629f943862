"""Nested subsets: by instruction, seeds first, in the order of acceptance, each within the next."""

import pytest

from selfinstruct_train.core.records import Row
from selfinstruct_train.dataset.subsets import doubled_sizes, nested_subsets


def row(instruction: str, item: int, source: str = "generated") -> Row:
    return Row(f"{instruction}-{item}", instruction, "", "", False, source, instruction, "", "", (), "")  # type: ignore[arg-type]


# seeds s0 s1; accepted in the order c, a, b; a has a second instance that stands last
ROWS = [
    row("s0", 0, "seed"),
    row("s1", 0, "seed"),
    row("c", 0),
    row("a", 0),
    row("a", 1),
    row("b", 0),
    row("c", 1),
]


def ids(rows: list[Row]) -> list[str]:
    return [r.id for r in rows]


def test_the_sets_are_nested_and_keep_the_order_of_the_dataset():
    sets = nested_subsets(ROWS)
    assert {size: ids(rows) for size, rows in sets.items()} == {
        2: ["s0-0", "s1-0"],
        5: ["s0-0", "s1-0", "c-0", "a-0", "a-1", "b-0", "c-1"],
    }
    sets = nested_subsets(ROWS, (4, 1, 3))
    assert {size: ids(rows) for size, rows in sets.items()} == {
        1: ["s0-0"],
        3: ["s0-0", "s1-0", "c-0", "c-1"],
        4: ["s0-0", "s1-0", "c-0", "a-0", "a-1", "c-1"],
    }
    assert list(sets) == [1, 3, 4]


def test_seeds_come_first_wherever_they_stand():
    assert ids(nested_subsets([*ROWS[2:], *ROWS[:2]], (2,))[2]) == ["s0-0", "s1-0"]


def test_the_largest_set_is_the_dataset_itself():
    assert list(nested_subsets(ROWS).values())[-1] == ROWS


def test_sizes_double_from_the_seeds_up_to_all():
    assert doubled_sizes(40, 469) == [40, 80, 160, 320, 469]
    # the paper's 175 seeds and 52,445 instructions: 44,800 would be nearly all
    assert doubled_sizes(175, 52_620) == [175, 350, 700, 1400, 2800, 5600, 11_200, 22_400, 52_620]
    assert doubled_sizes(3, 4) == [3, 4]
    assert doubled_sizes(4, 4) == [4]


@pytest.mark.parametrize(
    ("rows", "sizes", "message"),
    [
        (ROWS, (2, 6), "experiment.sizes names 6, but the dataset has 5 instructions"),
        (ROWS[2:], (), "of 3 instructions 0 are seeds"),
        (ROWS[:2], (), "of 2 instructions 2 are seeds"),
    ],
)
def test_sizes_that_cannot_be_are_refused(rows, sizes, message):
    with pytest.raises(ValueError, match=message):
        nested_subsets(rows, sizes)
