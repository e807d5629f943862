"""Where tasks come from: a folder, an archive of one or a Hub dataset, opened by name."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from ...core.paper_material import how_to_get
from .archives import Files, Folder, Tar, Zip
from .format import checked_task
from .hub import HUB, HubTasks
from .splits import OFFICIAL_NUMBERS, check_official, official_remedy, some, task_number

logger = logging.getLogger(__name__)

Part = Literal["test", "train", "excluded"]
_ZIP, _TAR = (".zip",), (".tar", ".tar.gz", ".tgz")


class TaskFiles(Protocol):
    """A source of tasks that is open; `name` is how its maker named it."""

    name: str

    @property
    def has_examples(self) -> bool:
        """Whether its tasks can have worked examples at all."""
        ...

    def split(self, name: str, part: Part = "test") -> list[str]:
        """Return the names of a split's tasks in listed order; every one of them is there.

        Raises:
            ValueError: there is no such split, a task of it is missing, or it is not the official one of its name.
        """
        ...

    def read(self, task: str) -> dict[str, Any]:
        """Return a task whose Definition, Categories and Instances are lists with something in them.

        Raises:
            ValueError: it is not there or is no Natural Instructions v2 task.
        """
        ...

    def where(self, task: str) -> str:
        """Return the location of a task for messages."""
        ...


def is_task_source(source: str) -> bool:
    """Whether `source` names a Hub dataset, an archive, or a folder that holds splits."""
    return source.startswith(HUB) or source.endswith(_ZIP + _TAR) or (Path(source) / "splits").is_dir()


def open_tasks(source: str) -> TaskFiles:
    """Open a folder, a .zip, .tar, .tar.gz or .tgz, or hub:<owner/name>[@revision]; little is read yet.

    Raises:
        ValueError: nothing of the kind is there.
    """
    if source.startswith(HUB):
        return HubTasks(source)
    path = Path(source)
    if path.is_dir():
        return _StoredTasks(source, Folder(path))
    if not path.is_file():
        known = f"{remedy}; " if (remedy := how_to_get(path)) else ""
        raise ValueError(
            f"{source}: no such folder or archive; {known}tasks are a folder that holds tasks/ and splits/, a .zip or "
            f".tar.gz of one, or {HUB}<owner/name>"
        )
    if source.endswith(_ZIP):
        return _StoredTasks(source, Zip(path))
    if source.endswith(_TAR):
        return _StoredTasks(source, Tar(path))
    raise ValueError(f"{source}: neither a folder nor an archive ({', '.join(_ZIP + _TAR)})")


@dataclass
class _StoredTasks:
    name: str
    files: Files
    _paths: dict[str, None] = field(init=False)
    _renamed: dict[str, str] = field(default_factory=dict)
    has_examples: bool = True

    def __post_init__(self) -> None:
        self._paths = dict.fromkeys(sorted(self.files.list()))

    def split(self, name: str, part: Part = "test") -> list[str]:
        path = f"splits/{name}/{part}_tasks.txt"
        if path not in self._paths:
            known = [
                p.split("/")[1] for p in self._paths if p.startswith("splits/") and p.endswith(f"/{part}_tasks.txt")
            ]
            here = "eval.split may be" if part == "test" else f"splits with {part} tasks"
            elsewhere = f"; {official_remedy(name, part)}" if name in OFFICIAL_NUMBERS else ""
            raise ValueError(
                f"{self.files.shown(path)}: no such file; {here}: {', '.join(known) or '(there is none)'}{elsewhere}"
            )
        tasks = self._listed(path)
        tested = f"splits/{name}/test_tasks.txt"
        if part == "test":
            check_official(self.files.shown(path), name, tasks)
        if part == "train" and (both := [t for t in tasks if tested in self._paths and t in self._listed(tested)]):
            raise ValueError(
                f"{self.files.shown(path)}: {some(both)} is a test task too, listed in {tested}; get both lists of one "
                "version"
            )
        paths = [self._find(task) for task in tasks]
        missing = [task for task, found in zip(tasks, paths, strict=True) if found is None]
        if len(missing) == 1:
            raise ValueError(f"{self.where(missing[0])}: no such file, but {path} lists it")
        if missing:
            raise ValueError(
                f"{self.files.shown('tasks')}: {len(missing)} of the {len(tasks)} tasks that {path} lists are missing: "
                f"{some(missing)}; {official_remedy(name, part)}"
            )
        self.files.prepare([found for found in paths if found])
        return tasks

    def read(self, task: str) -> dict[str, Any]:
        path = self._find(task)
        if path is None:
            raise ValueError(f"{self.where(task)}: no such file")
        where = self.files.shown(path)
        return checked_task(where, _decoded(where, self.files.read(path)))

    def where(self, task: str) -> str:
        return self.files.shown(self._renamed.get(task, f"tasks/{task}.json"))

    def _listed(self, path: str) -> list[str]:
        where = self.files.shown(path)
        tasks = [line.strip() for line in _decoded(where, self.files.read(path)).splitlines() if line.strip()]
        if not tasks:
            raise ValueError(f"{where}: the file is empty; it must list one task name a line")
        if repeated := [task for index, task in enumerate(tasks) if task in tasks[:index]]:
            raise ValueError(f"{where}: lists {repeated[0]!r} twice; remove one")
        return tasks

    def _find(self, task: str) -> str | None:
        """The path of a task: of its name or, as tasks were renamed between versions, the only one of its number."""
        path = f"tasks/{task}.json"
        if path in self._paths or task_number(task) is None:
            return path if path in self._paths else None
        if task not in self._renamed:
            same = [p for p in self._paths if p.startswith("tasks/") and task_number(p[6:]) == task_number(task)]
            if len(same) > 1:
                raise ValueError(
                    f"{self.files.shown(path)}: no such file, and its number has several: {', '.join(same)}"
                )
            if not same:
                return None
            logger.info("%s: %s is there as %s", self.name, task, same[0])
            self._renamed[task] = same[0]
        return self._renamed[task]


def _decoded(where: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")  # with or without the mark that some editors put in front
    except UnicodeDecodeError as error:
        raise ValueError(f"{where}: not UTF-8 text ({error.reason} at byte {error.start})") from None
