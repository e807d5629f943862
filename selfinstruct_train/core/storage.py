"""Write derived files: each is made aside and put in place in one step, so a reader sees the old or the new, whole.

And how they are read: the checksum by which a file or a text is known again, JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def write_atomically(path: Path, data: bytes) -> Path:
    """Put `data` at `path`, making its folder if missing; return the path.

    Raises:
        OSError: it cannot be written (a full disk, say); what stood at `path` still stands there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        refused = OSError(f"{path}: cannot be written: {error.strerror}; mend that and give the same command again")
        refused.errno = error.errno
        raise refused from error
    return path


def write_text(path: Path, text: str) -> Path:
    """Put a text at `path`, as UTF-8."""
    return write_atomically(path, text.encode())


def write_json(path: Path, value: Any) -> Path:
    """Put one JSON value at `path`."""
    return write_atomically(path, (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode())


def write_jsonl(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    """Put one JSON object a line at `path`."""
    encode = json.JSONEncoder(ensure_ascii=False).encode  # made once: json.dumps makes one for each call
    return write_atomically(path, "".join(encode(r) + "\n" for r in records).encode())


def sha256_of(path: Path) -> str:
    """Return the checksum of a file in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def text_sha256(*texts: str) -> str:
    """Return the checksum of texts in hex; it tells where one text ends and the next begins."""
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


def read_json(path: Path) -> Any:
    """Read a file that holds one JSON value.

    Raises:
        ValueError: it does not.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not JSON ({error}); delete it, or run the command that writes it again") from error


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Raises:
        ValueError: it holds something else.
    """
    value = read_json(path)
    if not isinstance(value, dict):
        raise ValueError(f"{path}: not an object; delete it, or run the command that writes it again")
    return value
