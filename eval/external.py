"""Read anyone's predictions file and lay it beside the examples it belongs to.

JSON lines; the answer stands under "prediction", "Prediction", "response", "text" or "completion". A row names its
example by id ("id", "example_id", or Tk-Instruct's "Instance": {"id"}), or by the instruction and input it answers.
The rows may stand in any order, but there must be exactly one for each example of one set.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from selfinstruct_train.core.row_files import is_unicode

from .examples import Example
from .tasks import read_jsonl

TEXT_KEYS = ("prediction", "Prediction", "response", "text", "completion")

Key = tuple[str, str]
"""("", id), or (instruction, input)."""


def read_predictions(path: str, sets: Mapping[str, Sequence[Example]]) -> tuple[str, list[str]]:
    """Return the name of the set the file answers, and its answers in that set's order.

    Raises:
        ValueError: the file is empty, or a row has no answer or names no example; it answers another set, the same
            example twice, or leaves some out.
    """
    rows = [(number, *_parse(f"{path}:{number}", row)) for number, row in read_jsonl(Path(path))]
    name = _matching_set(path, [keys for _, keys, _ in rows], sets)
    examples = sets[name]
    waiting = _index(examples)
    texts: dict[int, str] = {}
    for number, keys, text in rows:
        key = next((k for k in keys if k in waiting), None)
        if key is None:
            raise ValueError(
                f"{path}:{number}: {_shown(keys[0])} is not in {name}; are these predictions for another split?"
            )
        free = waiting[key]
        while free and free[0] in texts:
            free.popleft()
        if not free:
            raise ValueError(
                f"{path}:{number}: a second prediction for {_shown(key)}; there must be one for each example"
            )
        texts[free.popleft()] = text
    if len(texts) < len(examples):
        absent = next(e.id for index, e in enumerate(examples) if index not in texts)
        raise ValueError(
            f"{path}: {len(texts)} predictions for the {len(examples)} examples of {name}; the first without one is "
            f"{absent!r}"
        )
    return name, [texts[index] for index in range(len(examples))]


def _parse(where: str, row: dict[str, Any]) -> tuple[list[Key], str]:
    """Return the names a row may be known by, best first, and its answer."""
    text_key = next((k for k in TEXT_KEYS if k in row), None)
    if text_key is None:
        raise ValueError(
            f"{where}: no prediction; it has {', '.join(row) or 'no key'}, expected {' or '.join(TEXT_KEYS)}"
        )
    if not isinstance(row[text_key], str):
        raise ValueError(f'{where}: "{text_key}" is {row[text_key]!r}, where text must be')
    if not is_unicode(row[text_key]):
        raise ValueError(f'{where}: "{text_key}" holds half a surrogate pair, which is no text; mend the row')
    instance = row.get("Instance")
    if not isinstance(instance, dict):
        instance = {}
    keys: list[Key] = [
        ("", i) for i in (row.get("id"), row.get("example_id"), instance.get("id")) if isinstance(i, str)
    ]
    definition = row.get("Definition")
    instruction = row.get("instruction", definition[0] if isinstance(definition, list) and definition else definition)
    input = row.get("input", instance.get("input", ""))
    if isinstance(instruction, str) and isinstance(input, str):
        keys.append((instruction.strip(), input.strip()))
    if not keys:
        raise ValueError(f"{where}: nothing says which example it answers; give it an id, or instruction and input")
    return keys, row[text_key]


def _index(examples: Sequence[Example]) -> dict[Key, deque[int]]:
    """Map every name of an example to it; equal questions wait in order."""
    index: dict[Key, deque[int]] = {}
    for number, example in enumerate(examples):
        index[("", example.id)] = deque([number])
        index.setdefault((example.instruction.strip(), example.input.strip()), deque()).append(number)
    return index


def _matching_set(path: str, rows: list[list[Key]], sets: Mapping[str, Sequence[Example]]) -> str:
    matches = {}
    for name, examples in sets.items():
        known = _index(examples)
        matches[name] = sum(any(key in known for key in keys) for keys in rows)
    best = max(matches, key=lambda name: matches[name])
    if not matches[best]:
        raise ValueError(
            f"{path}: none of its {len(rows)} predictions belong to {' or '.join(sets)}; name the tasks it answers "
            "with --eval.tasks and --eval.split, or --eval.user_oriented"
        )
    return best


def _shown(key: Key) -> str:
    instruction, name = key
    return f"id {name!r}" if not instruction else f"the example {(instruction + ' / ' + name)[:60]!r}"
