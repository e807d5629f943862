"""Finished runs read side by side: what each reports of itself (report.json) and what its systems answered.

Two runs may be compared where they were asked the same examples: the same ids of the same tasks with the same
references. What only some were asked is left out and counted; prompts and models may differ, that is what is compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfinstruct_train.core.names import BASE, BASE_CUT, SET_TITLES
from selfinstruct_train.core.storage import read_object

from ..examples import Example
from ..predict import Kind, predictions_file
from ..tasks import read_jsonl

_READ = ("config", "judge", "people", "funnel", "statistics", "losses", "costs", "seconds")
Key = tuple[str, str, tuple[str, ...]]
"""Task, id and references: what makes two runs' examples the same."""


@dataclass(frozen=True)
class Run:
    """A finished run: `rows[set][system]` are the lines of its predictions files by example."""

    name: str
    folder: Path
    report: dict[str, Any]
    rows: dict[str, dict[str, dict[Key, dict[str, Any]]]]
    kinds: dict[str, Kind]


@dataclass(frozen=True)
class Common:
    """A set that all runs answered: the shared examples, each system's answers, and how many each run had.

    Systems are (run, system); a base that answers alike in all runs is one, of no run: ("", "base").
    """

    name: str
    examples: tuple[Example, ...]
    answers: dict[tuple[str, str], list[str]]
    num_examples: dict[str, int]


def read_runs(folders: Sequence[str]) -> list[Run]:
    """Read finished runs, named by as much of their path as tells them apart.

    Raises:
        ValueError: fewer than two, the same folder twice, no folder, no run, or a run that is not evaluated.
    """
    if len(folders) < 2:
        raise ValueError(f'{len(folders)} run given, a comparison needs two or more: RUNS="runs/a runs/b"')
    resolved = [Path(folder).resolve() for folder in folders]
    for number, path in enumerate(resolved):
        if path in resolved[:number]:
            raise ValueError(f"{folders[number]}: the same folder is named twice; name each run once")
    return [_read_run(name, Path(folder)) for name, folder in zip(_names(resolved), folders, strict=True)]


def common_sets(runs: Sequence[Run]) -> tuple[list[Common], list[str]]:
    """Return the sets that the runs share, and in a sentence each what had to be left out.

    Raises:
        ValueError: they share no example.
    """
    names = list(dict.fromkeys(name for run in runs for name in run.rows))
    found, notes = [], []
    for name in names:
        title = SET_TITLES.get(name, name)
        lacking = [run.name for run in runs if name not in run.rows]
        if lacking:
            notes.append(f"{title}: not compared, {', '.join(lacking)} did not answer this set.")
            continue
        common = _common(name, runs)
        if not common.examples:
            notes.append(f"{title}: not compared, no example is the same in all runs.")
            continue
        found.append(common)
        if len(common.examples) < max(common.num_examples.values()):
            had = ", ".join(f"{run} {number:,}" for run, number in common.num_examples.items())
            notes.append(f"{title}: compared on the {len(common.examples):,} examples that all runs answered ({had}).")
    if not found:
        raise ValueError(
            f"{', '.join(str(run.folder) for run in runs)}: evaluated on different tasks, nothing can be compared; "
            "evaluate them with the same eval.tasks and eval.split"
        )
    return found, notes


def _names(paths: Sequence[Path]) -> list[str]:
    """The last folder's name; where two are equal, as many above it as it takes."""
    depth = 1
    while len({path.parts[-depth:] for path in paths}) < len(paths):
        depth += 1
    return ["/".join(path.parts[-depth:]) for path in paths]


def _read_run(name: str, folder: Path) -> Run:
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder; name the folders of finished runs")
    if not (folder / "eval" / "scores.json").is_file():
        is_run = any((folder / part).exists() for part in ("journal", "model", "dataset", "funnel.json"))
        raise ValueError(
            f"{folder}: this run is not evaluated; run `selfinstruct eval` for it first"
            if is_run
            else f"{folder}: no run (it has no eval/scores.json, journal or model); name the folders of finished runs"
        )
    if not (folder / "report.json").is_file():
        raise ValueError(
            f"{folder}: has scores but no report.json; give `selfinstruct eval` for it again, which asks nothing"
        )
    report = read_object(folder / "report.json")
    try:
        kinds = {system: kind for one in report["sets"] for system, kind in one["kinds"].items()}
        categories = {one["set"]: one["categories"] for one in report["sets"]}
        for key in _READ:
            report[key]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{folder / 'report.json'}: not as `selfinstruct eval` writes it ({error!r}); give that again"
        ) from None
    asked = [system for system, kind in kinds.items() if kind != "published" and system != BASE_CUT]
    rows = {
        one: {
            system: _read_rows(predictions_file(str(folder), system, one), categories[one])
            for system in asked
            if system in next(s["kinds"] for s in report["sets"] if s["set"] == one)
        }
        for one in categories
    }
    return Run(name, folder, report, rows, kinds)


def _read_rows(path: Path, categories: dict[str, str]) -> dict[Key, dict[str, Any]]:
    rows: dict[Key, dict[str, Any]] = {}
    for number, row in read_jsonl(path):
        try:
            key = (row["task"], row["id"], tuple(row["references"]))
            rows[key] = {"text": row["prediction"], "instruction": row["instruction"], "input": row["input"]}
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"{path}:{number}: not as `selfinstruct eval` writes it ({error!r}); give that again"
            ) from None
        rows[key]["category"] = categories.get(row["task"], "")
    return rows


def _common(name: str, runs: Sequence[Run]) -> Common:
    tables = {(run.name, system): rows for run in runs for system, rows in run.rows[name].items()}
    first = next(iter(tables.values()))
    keys = [key for key in first if all(key in rows for rows in tables.values())]
    examples = tuple(
        Example(id, task, first[key]["category"], first[key]["instruction"], first[key]["input"], references)
        for key in keys
        for task, id, references in [key]
    )
    answers = {system: [rows[key]["text"] for key in keys] for system, rows in tables.items()}
    bases = [system for system in answers if system[1] == BASE]
    if len(bases) > 1 and all(answers[base] == answers[bases[0]] for base in bases):
        answers = {("", BASE): answers[bases[0]]} | {s: texts for s, texts in answers.items() if s not in bases}
    had = {run.name: len(next(iter(run.rows[name].values()))) for run in runs}
    return Common(name, examples, answers, had)
