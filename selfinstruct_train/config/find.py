"""Find a config by its name: first in ./configs, then among those that the package carries.

In a source checkout the package's configs are the repository's configs/, in an installed package
selfinstruct_train/configs. A path is taken as it is. Nothing is parsed here.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..core.nearest import nearest

HERE = Path("configs")
_PACKAGE = Path(__file__).resolve().parents[1]


def package_folder() -> Path:
    """Return the folder of the configs that the package carries."""
    repository = _PACKAGE.parent
    is_checkout = not (_PACKAGE / "configs").is_dir() and (repository / "pyproject.toml").is_file()
    return (repository if is_checkout else _PACKAGE) / "configs"


def config_files() -> dict[str, Path]:
    """Return every config by its name, ./configs first; a name there hides the package's."""
    found: dict[str, Path] = {}
    for folder in (HERE, package_folder()):
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, path)
    return found


def config_names() -> list[str]:
    """Return the names that `find_config` knows."""
    return list(config_files())


def find_config(name: str) -> Path:
    """Return the file of a config; what has a slash or ends with .yaml is a path.

    Raises:
        ValueError: there is none; with the nearest name.
    """
    found = config_files()
    if os.sep in name or name.endswith((".yaml", ".yml")):
        if Path(name).is_file():
            return Path(name)
        near = nearest(Path(name).stem, found, cutoff=0.6)
        hint = f"; did you mean {found[near]}?" if near else ""
        raise ValueError(f"{name}: cannot read this config: no such file{hint}")
    if name in found:
        return found[name]
    near = nearest(name, found)
    hint = f"did you mean {near!r}? Available configs" if near else "available configs"
    raise ValueError(f"no config is named {name!r}; {hint}: {', '.join(found) or 'none'} (or give a file)")


def first_comment(path: Path) -> str:
    """Return a config's first comment line that is not the command that runs it."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        text = line.lstrip("# ").strip()
        if text and not text.startswith(("make ", "selfinstruct ")):
            return text
    return ""
