"""Where a folder of rows comes from, told in `origin.yaml` beside them, for rows that no run of ours wrote.

Whoever converts other people's data writes it; `describe` reads it. Nothing of the machine may stand in it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..core.storage import write_text

FILE_NAME = "origin.yaml"


@dataclass(frozen=True)
class Origin:
    """`title` names the data, `text` says in a sentence or two what they are; `settings` is how rows were chosen."""

    title: str
    text: str
    license: str
    license_reason: str
    settings: dict[str, Any] = field(default_factory=dict)


def write_origin(folder: Path, origin: Origin) -> Path:
    """Write `folder`/origin.yaml; return its path."""
    import yaml

    return write_text(
        folder / FILE_NAME, yaml.safe_dump(asdict(origin), sort_keys=False, allow_unicode=True, width=110)
    )


def read_origin(folder: Path) -> Origin | None:
    """Read what `write_origin` wrote; None where there is no such file.

    Raises:
        ValueError: it holds something else.
    """
    import yaml

    path = folder / FILE_NAME
    if not path.is_file():
        return None
    try:
        record = yaml.safe_load(path.read_text(encoding="utf-8"))
        origin = Origin(**record)
    except (yaml.YAMLError, UnicodeDecodeError, TypeError) as error:
        raise ValueError(
            f"{path}: not what `selfinstruct convert` writes ({' '.join(str(error).split())}); delete it"
        ) from None
    texts = (origin.title, origin.text, origin.license, origin.license_reason)
    if not all(isinstance(text, str) for text in texts) or not isinstance(origin.settings, dict):
        raise ValueError(f"{path}: title, text, license and license_reason must be texts; mend it or delete it")
    return origin
