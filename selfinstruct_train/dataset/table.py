"""Table 1 of the paper for a dataset, beside the paper's own figures, as Markdown and as plain text.

The counting is in `generate.statistics`; here it is only put into words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from ..core.paper_numbers import STATISTICS
from ..generate.statistics import Statistics

_COUNTS = {
    "instructions": "num_instructions",
    "- classification instructions": "num_classification_instructions",
    "- other instructions": "num_other_instructions",
    "instances": "num_instances",
    "- instances with empty input": "num_instances_with_empty_input",
}
_MEANS = {
    "mean instruction length (words)": "mean_instruction_words",
    "mean non-empty input length (words)": "mean_nonempty_input_words",
    "mean output length (words)": "mean_output_words",
}

Cells = list[tuple[str, ...]]


def table1(columns: Mapping[str, Statistics], labelled: bool = True) -> Cells:
    """Return the cells of table 1, the head first: a column for each of `columns`, the paper's last.

    Args:
        labelled: False where no one told which instructions are classification; these lines then hold "-" for ours.
    """
    paper = {field: number for field, _, number in STATISTICS}
    figures = [*map(asdict, columns.values()), paper]
    cells: Cells = [("", *columns, "paper (GPT-3)")]
    for name, field in _COUNTS.items():
        known = labelled or field not in ("num_classification_instructions", "num_other_instructions")
        ours = (f"{f[field]:,}" if known or f is paper else "-" for f in figures)
        cells.append((name, *ours))
    for name, field in _MEANS.items():
        cells.append((name, *(f"{f[field]:.1f}" for f in figures)))
    return cells


def as_markdown(cells: Sequence[Sequence[str]], num_left: int = 1) -> str:
    """Lay cells out as a Markdown table, the first `num_left` columns to the left, the others to the right."""
    head, *body = [[cell.replace("|", "\\|") for cell in row] for row in cells]
    lines = [head, ["---"] * num_left + ["---:"] * (len(head) - num_left), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def as_text(cells: Sequence[Sequence[str]]) -> str:
    """Lay cells out for a terminal."""
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    lines = []
    for row in cells:
        first, *others = row
        right = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        lines.append("  ".join((first.ljust(widths[0]), *right)).rstrip())
    return "\n".join(lines)
