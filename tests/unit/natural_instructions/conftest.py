"""A small tasks folder, and archives of one."""

import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).parents[4] / "shared/data/natural_instructions"


@pytest.fixture(scope="session")
def real() -> Path:
    if not SHARED.is_dir():
        pytest.skip("needs the real data in ../shared/data")
    return SHARED


def a_task(**changes: Any) -> dict[str, Any]:
    instances = [{"id": "a-0", "input": "A cow eats.", "output": ["cow", "the cow"]}]
    return {"Definition": ["Name the animal."], "Categories": ["Extraction"], "Instances": instances, **changes}


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


def pack(root: Path, target: Path, top: str = "natural-instructions-master/") -> Path:
    """Pack a folder as GitHub does, under one top folder."""
    files = {f"{top}{path.relative_to(root).as_posix()}": path.read_bytes() for path in sorted(root.rglob("*.*"))}
    return pack_files(files, target)


def pack_files(files: dict[str, bytes], target: Path) -> Path:
    if target.suffix == ".zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return target
    with tarfile.open(target, "w" if target.suffix == ".tar" else "w:gz") as packed:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return target
