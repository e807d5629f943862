"""Table 1, its cells written out."""

from __future__ import annotations

from selfinstruct_train.dataset.table import as_markdown, as_text, table1
from selfinstruct_train.generate.statistics import Statistics

OURS = Statistics(1200, 200, 1000, 1500, 700, 9.96, 0.0, 12.04)


def test_our_figures_stand_before_the_papers() -> None:
    assert table1({"generated": OURS}) == [
        ("", "generated", "paper (GPT-3)"),
        ("instructions", "1,200", "52,445"),
        ("- classification instructions", "200", "11,584"),
        ("- other instructions", "1,000", "40,861"),
        ("instances", "1,500", "82,439"),
        ("- instances with empty input", "700", "35,878"),
        ("mean instruction length (words)", "10.0", "15.9"),
        ("mean non-empty input length (words)", "0.0", "12.7"),
        ("mean output length (words)", "12.0", "18.9"),
    ]


def test_labels_that_nobody_gave_are_no_zeros() -> None:
    cells = table1({"a": OURS, "b": OURS}, labelled=False)
    assert cells[2] == ("- classification instructions", "-", "-", "11,584")
    assert cells[3] == ("- other instructions", "-", "-", "40,861")
    assert cells[1] == ("instructions", "1,200", "1,200", "52,445")


def test_cells_become_markdown_with_bars_escaped() -> None:
    assert as_markdown([("", "a|b"), ("x", "1")]) == "|  | a\\|b |\n| --- | ---: |\n| x | 1 |"


def test_cells_line_up_in_a_terminal() -> None:
    assert as_text([("", "ours", "p"), ("words", "1", "12")]) == "       ours   p\nwords     1  12"
