"""`selfinstruct paper`: every table and figure of the paper beside a run, as text, Markdown, one HTML page and JSON.

Where ours is not there the command that brings it stands in its place. The items are paper_data.py's and
paper_results.py's, in the paper's order.
"""

from __future__ import annotations

import shlex
import shutil
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from selfinstruct_train.config import Config
from selfinstruct_train.config.find import config_files
from selfinstruct_train.core.storage import write_json, write_text

from . import paper_data, paper_results
from .paper_run import Item, RunFolder
from .templates import render

SOURCE = "Self-Instruct, arXiv 2212.10560 v2, ACL 2023"
_BUILDERS: tuple[Callable[[RunFolder], Item], ...] = (
    paper_data.examples,
    paper_data.pipeline,
    paper_data.statistics,
    paper_data.verbs,
    paper_data.seed_distance,
    paper_data.lengths,
    paper_data.review,
    paper_results.superni,
    paper_results.human_ratings,
    paper_results.size_and_quality,
    paper_data.seed_overlap,
    paper_data.queries,
    paper_data.finetuning,
    paper_data.prompts,
    paper_results.interface,
    paper_results.agreement,
    paper_results.answers,
    paper_results.valid_and_invalid,
)


def paper_items(config: Config, words: str = "CONFIG") -> list[Item]:
    """Return all items of the paper.

    Args:
        words: what follows `selfinstruct VERB` for this run, e.g. "my_run --seed 7".

    Raises:
        ValueError: a file of the run is broken.
    """
    run = RunFolder(config, words)
    items = []
    for build in _BUILDERS:
        run.files.clear()
        try:
            items.append(build(run))
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            if isinstance(error, ValueError) and not _is_nameless(error, run.files):
                raise
            files = " or ".join(map(str, run.files))
            raise ValueError(
                f"{files}: not what this project writes ({type(error).__name__}: {error}); delete it, or run the "
                "command that writes it again"
            ) from None
    return items


def _is_nameless(error: ValueError, files: Sequence[Path]) -> bool:
    """Whether it came of a value that was read from one of the files, as a text where a number is formatted."""
    return bool(files) and not any(str(file) in str(error) for file in files)


def as_text(items: Sequence[Item], width: int | None = None) -> str:
    """Lay the items out for a terminal: three columns, long cells broken, what is missing below."""
    width = width or min(max(shutil.get_terminal_size((110, 24)).columns, 60), 140)
    sizes = (width * 30 // 100, width * 28 // 100, width - width * 30 // 100 - width * 28 // 100 - 4)
    lines: list[str] = []
    for item in items:
        lines += [f"{item.place}  {item.title}", "-" * width, _row(("", "paper", "ours"), sizes)]
        lines += [_row((line.what, line.paper or "-", line.ours or "-"), sizes) for line in item.lines]
        if item.note:
            lines += textwrap.wrap(item.note, width, initial_indent="  ", subsequent_indent="  ")
        lines += [f"  missing: {command}" for command in item.missing]
        lines.append("")
    return "\n".join(lines)


def write_paper(config: Config, items: Sequence[Item]) -> list[Path]:
    """Write <run_dir>/paper.md, paper.html and paper.json; return their paths."""
    root = Path(config.run_dir)
    context = {"run": root.name, "source": SOURCE, "items": items, "num_missing": sum(bool(i.missing) for i in items)}
    return [
        write_text(root / "paper.md", render("paper.md.j2", context)),
        write_text(root / "paper.html", render("paper.html.j2", context)),
        write_json(
            root / "paper.json", {"source": SOURCE, "run": root.name, "items": [asdict(item) for item in items]}
        ),
    ]


def command_words(config_path: str, others: Sequence[str]) -> str:
    """Return how a run is named on a command line: its config, by its name if it has one, and the overrides."""
    path = Path(config_path)
    return shlex.join([path.stem if config_files().get(path.stem) == path else config_path, *others])


def _row(cells: Sequence[str], sizes: Sequence[int]) -> str:
    wrapped = [textwrap.wrap(cell, size) or [""] for cell, size in zip(cells, sizes, strict=True)]
    height = max(len(lines) for lines in wrapped)
    rows = [[lines[i] if i < len(lines) else "" for lines in wrapped] for i in range(height)]
    return "\n".join("  ".join(c.ljust(s) for c, s in zip(row, sizes, strict=True)).rstrip() for row in rows)
