"""What a task of Natural Instructions v2 holds: definition, categories, worked examples, instances; each checked.

Whatever has another shape is told in one line that begins with its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

_FORMAT = "no Natural Instructions v2 task"
# JSON can hold half a character (a lone surrogate), which no file and no tokenizer takes
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class TaskInstance:
    """An input and every output that counts as right."""

    id: str
    input: str
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class WorkedExample:
    """An input with a right or, in negative examples, a wrong output; explanation None: the task has none."""

    input: str
    output: str
    explanation: str | None = None


def read_instances(
    where: str, task_name: str, task: dict[str, Any], number: int | None = None
) -> Iterator[TaskInstance]:
    """Yield the first `number` instances of a task (None: all); one without an id is named after its task and place.

    Raises:
        ValueError: an instance is of another shape, or has no output at all.
    """
    for index, instance in enumerate(task["Instances"][:number]):
        here = f"{where}: instance {index}"
        if not isinstance(instance, dict):
            raise ValueError(f"{here} is a {type(instance).__name__}, where an object with input and output must be")
        outputs = instance.get("output")
        if not isinstance(outputs, list) or not all(_is_text(output) for output in outputs):
            raise ValueError(f'{here}: "output" must be a list of texts')
        if not outputs:
            raise ValueError(f'{here} has no reference: "output" is an empty list; there must be at least one')
        id = read_text(here, instance, "id", default=f"{task_name}-{index}")
        yield TaskInstance(id, read_text(here, instance, "input"), tuple(outputs))


def read_worked_examples(
    where: str, task: dict[str, Any], kind: Literal["Positive", "Negative"], number: int | None = None
) -> list[WorkedExample]:
    """Return a task's first positive or negative examples (None: all); fewer where the task has fewer.

    Raises:
        ValueError: they are of another shape.
    """
    examples = task.get(f"{kind} Examples", []) if number != 0 else []
    if not isinstance(examples, list):
        raise ValueError(f'{where}: "{kind} Examples" must be a list')
    found = []
    for index, example in enumerate(examples[:number]):
        here = f"{where}: {kind.lower()} example {index}"
        if not isinstance(example, dict):
            raise ValueError(f"{here} is a {type(example).__name__}, where an object with input and output must be")
        explanation = read_text(here, example, "explanation") if example.get("explanation") is not None else None
        found.append(WorkedExample(read_text(here, example, "input"), read_text(here, example, "output"), explanation))
    return found


def read_text(where: str, record: dict[str, Any], key: str, default: str | None = None) -> str:
    """Return a field that must be text.

    Raises:
        ValueError: it is missing (and there is no default) or is something else.
    """
    value = record.get(key, default)
    if value is None or not _is_text(value):
        problem = "is missing" if key not in record else f"is {value!r:.60}, where text must be"
        raise ValueError(f'{where}: "{key}" {problem}')
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not _HALF.search(value)


def checked_task(where: str, text: str) -> dict[str, Any]:
    """Return the task that a JSON text holds: Definition, Categories and Instances are lists with something in them.

    Raises:
        ValueError: it is none.
    """
    try:
        task = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: {_FORMAT}: not JSON ({error})") from None
    if not isinstance(task, dict):
        raise ValueError(f"{where}: {_FORMAT}: a {type(task).__name__}, where one JSON object must be")
    for key in ("Definition", "Categories", "Instances"):
        if key not in task:
            has = ", ".join(list(task)[:6]) or "no key at all"
            raise ValueError(f'{where}: {_FORMAT}: "{key}" is missing; it has {has}')
        if not isinstance(task[key], list) or not task[key]:
            raise ValueError(f'{where}: {_FORMAT}: "{key}" must be a list with at least one item')
    for key in ("Definition", "Categories"):
        if not _is_text(task[key][0]) or not task[key][0].strip():
            raise ValueError(f'{where}: {_FORMAT}: "{key}" must hold text')
    if task.get("Distance", "near") not in ("near", "far"):
        raise ValueError(f'{where}: "Distance" is {task["Distance"]!r}; it must be "near" or "far"')
    return task
