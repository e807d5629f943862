"""Several datasets in one, without repetitions; the order of the datasets decides who keeps what.

Seed rows of all come first, each once. Of a later dataset an instruction goes that is more similar (ROUGE-L) than the
threshold to a seed instruction or to one kept from an earlier dataset; among themselves a dataset's instructions were
compared when it was made, and are not again. An instruction that an earlier dataset has word for word is no loss: its
instances join the earlier one's. Of rows that repeat instruction and input the first stays. Ids get the dataset's name
in front, since two runs number alike. No model is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..core.names import KEPT
from ..core.records import Row
from ..core.storage import write_jsonl
from ..generate.novelty import Match, NoveltyIndex
from .rows import read_rows, write_rows

TOO_SIMILAR = "too_similar"
DUPLICATE = "duplicate"
CONFLICTING = "conflicting_output"


@dataclass(frozen=True)
class Source:
    """One dataset to merge, and the name it gets in ids."""

    name: str
    rows: list[Row]


@dataclass(frozen=True)
class MergeOutcome:
    """What became of a row: with `too_similar`, to which instruction and how much; `id` is the id it has or would have.

    `duplicate` rows repeat instruction, input and output of a kept row, `conflicting_output` rows only instruction and
    input.
    """

    id: str
    dataset: str
    source: str
    verdict: str
    nearest: str = ""
    rouge_l: float = 0.0


@dataclass(frozen=True)
class Merged:
    """The rows of the merged dataset and the outcome of every row that went in, in order."""

    rows: list[Row]
    outcomes: list[MergeOutcome]


def read_sources(paths: Sequence[str]) -> list[Source]:
    """Read the datasets of run directories, or of files and folders of rows.

    A dataset's name is that of its run directory or file; `name=path` gives another.

    Raises:
        ValueError: nothing readable is there, or two have the same name.
    """
    sources: list[Source] = []
    for argument in paths:
        name, _, rest = ("", "", "") if Path(argument).expanduser().exists() else argument.partition("=")
        path = Path(rest or argument).expanduser()
        if (path / "dataset").is_dir():
            path = path / "dataset"
        if not rest:
            named = path.parent if path.name == "dataset" else path
            name = named.resolve().stem if named.is_file() else named.resolve().name
        if not name or "/" in name:
            raise ValueError(f"{argument}: a dataset's name is {name!r}; give name=path, the name without a slash")
        if name in {source.name for source in sources}:
            raise ValueError(f"{argument}: a dataset named {name!r} is there already; give this one as another=path")
        sources.append(Source(name, read_rows(path)))
    return sources


def merge(sources: Sequence[Source], threshold: float = 0.7) -> Merged:
    """Merge datasets.

    Args:
        threshold: an instruction goes if its ROUGE-L to a kept one is above it (0.7: paper, section 2.2).
    """
    merging = _Merging(NoveltyIndex(threshold))
    for source in sources:
        merging.add_seeds(source)
    for source in sources:
        merging.add_generated(source)
    return Merged(merging.rows, merging.outcomes)


def write_merged(out: Path, merged: Merged) -> list[Path]:
    """Write <out>/dataset and the ledger <out>/candidates/merge.jsonl; `out` can then stand as a run_dir.

    Raises:
        ValueError: `out` holds a generation run, whose dataset would be overwritten.
    """
    if (out / "journal/instructions.jsonl").exists():
        raise ValueError(f"{out} holds a generation run of its own; give another folder")
    return [
        write_rows(out / "dataset", merged.rows),
        write_jsonl(out / "candidates/merge.jsonl", (asdict(outcome) for outcome in merged.outcomes)),
    ]


def merge_table(sources: Sequence[Source], outcomes: Sequence[MergeOutcome]) -> str:
    """A table for the log: a line for each dataset and source of rows, a column for each verdict."""
    verdicts = (KEPT, TOO_SIMILAR, DUPLICATE, CONFLICTING)
    lines = [f"{'dataset':<24}{'rows of':<12}" + "".join(f"{v:>20}" for v in verdicts)]
    for name in (source.name for source in sources):
        for origin in ("seed", "generated"):
            of = [outcome.verdict for outcome in outcomes if (outcome.dataset, outcome.source) == (name, origin)]
            if of:
                lines.append(f"{name:<24}{origin:<12}" + "".join(f"{of.count(v):>20}" for v in verdicts))
    return "\n".join(lines)


class _Merging:
    """What was kept so far."""

    def __init__(self, pool: NoveltyIndex) -> None:
        self.rows: list[Row] = []
        self.outcomes: list[MergeOutcome] = []
        self._pool = pool
        self._first: dict[tuple[str, str], Row] = {}
        """By origin and instruction: the first row kept of it."""
        self._outputs: dict[tuple[str, str, str], str] = {}
        """By origin, instruction and input: the output kept."""
        self._new_ids: dict[tuple[str, str], str] = {}
        """By dataset and its own instruction id: the instruction id in the merged dataset."""

    def add_seeds(self, source: Source) -> None:
        texts = []
        for row in source.rows:
            if row.source == "seed":
                if ("seed", row.instruction) not in self._first:
                    texts.append(row.instruction)
                self._add(source.name, row)
        for text in dict.fromkeys(texts):
            self._pool.add(text)

    def add_generated(self, source: Source) -> None:
        """Judge all instructions of a dataset against what stood before it."""
        matches: dict[str, Match | None] = {}
        kept = []
        for row in source.rows:
            if row.source == "seed":
                continue
            text = row.instruction
            if text not in matches:
                known = ("generated", text) in self._first
                matches[text] = None if known else self._pool.check(text)
                if not known and matches[text] is None:
                    kept.append(text)
            match = matches[text]
            if match is None:
                self._add(source.name, row)
            else:
                self.outcomes.append(
                    MergeOutcome(
                        f"{source.name}/{row.id}", source.name, row.source, TOO_SIMILAR, match.text, match.score
                    )
                )
        for text in kept:
            self._pool.add(text)

    def _add(self, name: str, row: Row) -> None:
        """Keep a row of a kept instruction, unless it repeats an input."""
        key = (row.source, row.instruction, row.input)
        verdict = KEPT
        if key in self._outputs:
            verdict = DUPLICATE if self._outputs[key] == row.output else CONFLICTING
        id = f"{name}/{row.id}"
        self.outcomes.append(MergeOutcome(id, name, row.source, verdict))
        first = self._first.get((row.source, row.instruction))
        instruction_id = first.instruction_id if first else f"{name}/{row.instruction_id}"
        self._new_ids[name, row.instruction_id] = instruction_id
        if verdict != KEPT:
            return
        new = replace(
            row,
            id=id,
            instruction_id=instruction_id,
            is_classification=first.is_classification if first else row.is_classification,
            request_id=_prefixed(name, row.request_id),
            instance_request_id=_prefixed(name, row.instance_request_id),
            parents=tuple(self._new_ids.get((name, parent), f"{name}/{parent}") for parent in row.parents),
        )
        self._first.setdefault((row.source, row.instruction), new)
        self._outputs[key] = row.output
        self.rows.append(new)


def _prefixed(name: str, id: str) -> str:
    return f"{name}/{id}" if id else ""
