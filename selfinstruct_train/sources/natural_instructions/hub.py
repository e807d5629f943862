"""Natural Instructions as a Hugging Face dataset of flat rows, e.g. Muennighoff/natural-instructions.

A row is one reference of one instance: task_name, id, definition, inputs, targets. There are no categories and no
worked examples. The dataset's own split "test" stands for the test tasks of split default, "train" for its training
tasks.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .splits import check_official

if TYPE_CHECKING:
    import datasets

HUB = "hub:"
COLUMNS = ("task_name", "id", "definition", "inputs", "targets")


class HubTasks:
    """`hub:<owner/name>[@revision]`, or hub:<folder> of parquet or JSON files that `load_dataset` reads."""

    has_examples = False

    def __init__(self, source: str) -> None:
        self.name = source
        self._splits = _load(source)
        self._rows: dict[str, dict[str, list[int]]] = {}
        self._listed: dict[str, str] = {}

    def split(self, name: str, part: str = "test") -> list[str]:
        """Return the tasks of the dataset's split `part` for name "default", else of its split `name`, in the order of
        their first rows.

        Raises:
            ValueError: the dataset has no such split, or it is not the official one.
        """
        chosen = part if name == "default" else name
        if chosen not in self._splits:
            here = "eval.split may be: default, " if part == "test" else "it has: "
            raise ValueError(f"{self.name}: has no split {chosen!r}; {here}{', '.join(self._splits)}")
        tasks = list(self._tasks(chosen))
        if not tasks:
            raise ValueError(f"{self.name}: its split {chosen!r} has no row")
        if part == "test":
            check_official(self.name, name, tasks)
        self._listed.update(dict.fromkeys(tasks, chosen))
        return tasks

    def read(self, task: str) -> dict[str, Any]:
        """Return the task's rows in the shape of a task file, without worked examples and with an empty category.

        They are of the split that listed the task last (none did: the first that has it), as several may have it.

        Raises:
            ValueError: the dataset has no row of it, or a row holds no text where it must.
        """
        for split in [self._listed[task]] if task in self._listed else self._splits:
            if task in self._tasks(split):
                return _task(self.where(task), self._splits[split].select(self._tasks(split)[task]))
        raise ValueError(f"{self.where(task)}: no row has this task_name")

    def where(self, task: str) -> str:
        return f"{self.name}: {task}"

    def _tasks(self, split: str) -> dict[str, list[int]]:
        """Task name -> numbers of its rows."""
        if split not in self._rows:
            rows: dict[str, list[int]] = {}
            # out of Arrow in one go: row by row it takes half a minute a million rows
            names = self._splits[split].select_columns(["task_name"]).with_format("arrow")[:]["task_name"].to_pylist()
            for number, name in enumerate(names):
                rows.setdefault(str(name), []).append(number)
            self._rows[split] = rows
        return self._rows[split]


def _load(source: str) -> dict[str, datasets.Dataset]:
    import datasets

    name, revision = source.removeprefix(HUB), None
    if not Path(name).exists():
        name, _, revision = name.partition("@")
    try:
        splits = datasets.load_dataset(name, revision=revision or None)
    except Exception as error:  # of the Hub, the network, pyarrow: all of them are the user's to mend
        reason = " ".join(str(error).split())
        raise ValueError(f"{source}: cannot be loaded ({type(error).__name__}: {reason[:300]})") from error
    for split, dataset in splits.items():
        if missing := [column for column in COLUMNS if column not in dataset.column_names]:
            raise ValueError(
                f"{source}: its split {split!r} lacks the columns {', '.join(missing)}; it has "
                f"{', '.join(dataset.column_names)}"
            )
    return {str(split): dataset for split, dataset in splits.items()}


def _task(where: str, rows: datasets.Dataset) -> dict[str, Any]:
    instances: dict[str, dict[str, Any]] = {}
    definition = ""
    columns = rows[:]  # one batch: a task's rows are few, and one by one they take ten times as long
    for values in zip(*(columns[column] for column in COLUMNS), strict=True):
        row = dict(zip(COLUMNS, values, strict=True))
        for column in COLUMNS:
            if not isinstance(row[column], str):
                raise ValueError(f"{where}: {column} is {row[column]!r} in a row, where text must be")
        definition = definition or row["definition"]
        instance = instances.setdefault(row["id"], {"id": row["id"], "input": row["inputs"], "output": []})
        if row["definition"] != definition or row["inputs"] != instance["input"]:
            what = "inputs of one id" if row["definition"] == definition else "definitions"
            raise ValueError(f"{where}: its rows have two {what} (id {row['id']!r}); they must agree")
        instance["output"].append(row["targets"])
    if not definition.strip():
        raise ValueError(f"{where}: its definition is empty")
    return {"Definition": [definition], "Categories": [""], "Instances": list(instances.values())}
