"""Tasks in the format of Super-NaturalInstructions, and archives of a folder of them as GitHub packs it."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any


def a_task(**changes: Any) -> dict[str, Any]:
    instances = [{"id": "a-0", "input": "A cow eats.", "output": ["cow", "the cow"]}]
    return {"Definition": ["Name the animal."], "Categories": ["Extraction"], "Instances": instances, **changes}


def ni_task(**changes: Any) -> dict[str, Any]:
    """A task with two examples and three instances."""
    task: dict[str, Any] = {
        "Definition": ["Name the animal in the sentence."],
        "Categories": ["Extraction"],
        "Positive Examples": [
            {"input": "A dog barks.", "output": "dog", "explanation": ""},
            {"input": "The cat sleeps.", "output": "cat", "explanation": ""},
        ],
        "Negative Examples": [],
        "Instances": [
            {"id": "a-0", "input": "A cow eats.", "output": ["cow", "the cow"]},
            {"id": "a-1", "input": "Look, a hen!", "output": ["hen"]},
            {"id": "a-2", "input": "Foxes run.", "output": ["foxes"]},
        ],
    }
    return {**task, **changes}


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
