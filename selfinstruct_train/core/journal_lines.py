"""The lines of a journal: how an answer is written and read, and how two headers differ.

Pure functions over bytes and records; the file, its lock and its order are `journal`'s.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from .records import Completion, FinishReason, Request
from .storage import text_sha256


@dataclass(frozen=True)
class StoredAnswer:
    """A completion, and the checksum of the prompt that it answers."""

    prompt_sha256: str
    completion: Completion


def parse_lines(path: Path, content: bytes) -> tuple[dict[str, Any], dict[str, StoredAnswer]]:
    """Read a header line and answer lines, all complete."""
    header: dict[str, Any] = {}
    rows: dict[str, StoredAnswer] = {}
    for number, line in enumerate(_lines(content), start=1):
        try:
            record = json.loads(line)
            if number == 1:
                header = dict(record)
                continue
            row = _from_json(record)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path}:{number}: not a journal line ({type(error).__name__}: {error}); delete this line (its answer "
                "will be asked again), or the whole file where line 1 is broken"
            ) from None
        if row.completion.request_id in rows:
            raise ValueError(f"{path}:{number}: a second answer to {row.completion.request_id!r}; delete this line")
        rows[row.completion.request_id] = row
    return header, rows


def _lines(content: bytes) -> list[Any]:
    """Cut into lines; as text, which json reads faster, but for a file that is none: its reader names the line."""
    try:
        return content.decode("utf-8").split("\n")[:-1]
    except UnicodeDecodeError:
        return content.split(b"\n")[:-1]


def header_differences(stored: dict[str, Any], header: dict[str, Any]) -> list[str]:
    """Name every field in which two headers differ: "seed: 42 there, 7 now"."""
    before, now = _flatten(stored), _flatten(json.loads(json.dumps(header)))
    keys = [*now, *(k for k in before if k not in now)]
    missing = "(absent)"
    return [
        f"{key}: {json.dumps(before[key]) if key in before else missing} there, "
        f"{json.dumps(now[key]) if key in now else missing} now"
        for key in keys
        if key not in before or key not in now or before[key] != now[key]
    ]


def check_header(path: Path, stored: dict[str, Any], header: dict[str, Any]) -> None:
    """Refuse a header that differs from the stored one.

    Raises:
        ValueError: one line that names every difference.
    """
    differing = header_differences(stored, header)
    if differing:
        files = "; a built-in file may have changed with the package" if any("_sha256:" in d for d in differing) else ""
        raise ValueError(
            f"{path} belongs to another configuration ({'; '.join(differing)}{files}); choose another run_dir, or give "
            "the settings it was begun with"
        )


def _flatten(header: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted names for nested settings: {"sampling": {"top_p": 1}} gives {"sampling.top_p": 1}."""
    flat: dict[str, Any] = {}
    for key, value in header.items():
        if isinstance(value, dict):
            flat.update(_flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def prompt_sha256(request: Request) -> str:
    """Return the checksum by which a journal knows the prompt of an answer again."""
    return text_sha256(("\0chat\0" if request.chat else "") + request.prompt)


def storable(completion: Completion) -> Completion:
    """Replace lone surrogates, which no UTF-8 file can hold: the first run must see what a resumed one will read."""
    text = completion.text.encode("utf-8", "replace").decode("utf-8")
    return Completion(
        completion.request_id,
        text,
        completion.finish_reason,
        completion.prompt_tokens,
        completion.completion_tokens,
    )


def to_json(row: StoredAnswer) -> dict[str, Any]:
    c = row.completion
    return {
        "id": c.request_id,
        "prompt_sha256": row.prompt_sha256,
        "text": c.text,
        "finish_reason": c.finish_reason,
        "prompt_tokens": c.prompt_tokens,
        "completion_tokens": c.completion_tokens,
    }


_TYPES = {"id": str, "prompt_sha256": str, "text": str, "prompt_tokens": int, "completion_tokens": int}


def _from_json(record: dict[str, Any]) -> StoredAnswer:
    if record["finish_reason"] not in get_args(FinishReason):
        raise ValueError(f"finish_reason {record['finish_reason']!r}")
    for name, kind in _TYPES.items():
        if type(record[name]) is not kind:
            raise ValueError(f"{name} {record[name]!r}")
    completion = Completion(
        record["id"],
        record["text"],
        record["finish_reason"],
        record["prompt_tokens"],
        record["completion_tokens"],
    )
    return StoredAnswer(record["prompt_sha256"], completion)
