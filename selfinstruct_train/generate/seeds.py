"""Read seed tasks: the hand-written start of the pool, in the released seed_tasks.jsonl format.

One JSON object a line: "id", "instruction", "is_classification", and "instances", a list of {"input", "output"}. Other
keys ("name" in the released file) are ignored. Every fault is one `ValueError` that names file and line.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..core.paper_material import how_to_get
from ..core.records import Pair, SeedTask


def read_seed_tasks(path: str | Path) -> list[SeedTask]:
    """Read a seed file; blank lines are passed over.

    Raises:
        ValueError: the file is absent, empty, or has a broken line; the message names file, line and remedy.
    """
    path = Path(path)
    if not path.is_file():
        known = f"{remedy}, or " if (remedy := how_to_get(path)) else ""
        raise ValueError(
            f"{path}: no such seed file; {known}set generate.seed_tasks to a jsonl file or to builtin:english"
        )
    tasks: list[SeedTask] = []
    first_line: dict[str, int] = {}
    for number, line in enumerate(path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        task = _parse_line(line, f"{path}:{number}")
        if task.id in first_line:
            raise ValueError(
                f'{path}:{number}: "id" {task.id!r} stands in line {first_line[task.id]} too; ids must differ'
            )
        first_line[task.id] = number
        tasks.append(task)
    if not tasks:
        raise ValueError(f"{path}: holds no seed task; the pool needs at least one (the paper starts from 175)")
    return tasks


def _parse_line(line: bytes, where: str) -> SeedTask:
    try:
        record = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{where}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{where}: not JSON ({error.msg} at column {error.colno}); mend or delete this line") from None
    if not isinstance(record, dict):
        raise ValueError(f"{where}: a {type(record).__name__} where a JSON object is needed, one seed task a line")
    instances = _field(record, "instances", list, where)
    if not instances:
        raise ValueError(f'{where}: "instances" is empty; each seed task needs at least one')
    return SeedTask(
        id=_text(record, "id", where),
        instruction=_text(record, "instruction", where),
        instances=tuple(_parse_pair(pair, f"{where}: instance {i + 1}") for i, pair in enumerate(instances)),
        is_classification=_field(record, "is_classification", bool, where),
    )


def _parse_pair(pair: Any, where: str) -> Pair:
    if not isinstance(pair, dict):
        raise ValueError(f'{where} is {pair!r}; it must be an object with "input" and "output"')
    return Pair(input=_field(pair, "input", str, where), output=_text(pair, "output", where))


def _text(record: dict[str, Any], key: str, where: str) -> str:
    value: str = _field(record, key, str, where)
    if not value.strip():
        raise ValueError(f'{where}: "{key}" is empty; write one')
    return value


def _field(record: dict[str, Any], key: str, kind: type, where: str) -> Any:
    if key not in record:
        raise ValueError(f'{where}: "{key}" is missing; keys found: {", ".join(map(str, record)) or "none"}')
    if not isinstance(record[key], kind):
        names = {str: "a string", bool: "true or false", list: "a list"}
        raise ValueError(f'{where}: "{key}" is {record[key]!r}; it must be {names[kind]}')
    return record[key]
