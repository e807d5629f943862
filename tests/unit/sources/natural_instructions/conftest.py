"""A small tasks folder, and the real one."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.support.ni_tasks import a_task


@pytest.fixture(scope="session")
def real_tasks(shared_data: Path) -> Path:
    return shared_data / "natural_instructions"


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder with the given tasks, and a split that lists the same or other names."""

    def write(
        tasks: Iterable[str], listed: Iterable[str] | None = None, split: str = "own", part: str = "test"
    ) -> Path:
        root = tmp_path / "ni"
        (root / "tasks").mkdir(parents=True, exist_ok=True)
        for name in tasks:
            (root / "tasks" / f"{name}.json").write_text(json.dumps(a_task()), encoding="utf-8")
        path = root / "splits" / split / f"{part}_tasks.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{name}\n" for name in (tasks if listed is None else listed)), encoding="utf-8")
        return root

    return write
