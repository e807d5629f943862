"""What a model is asked: Natural Instructions v2 tasks and the user-oriented instructions, read into `Example`s.

Tasks come from whatever `natural_instructions` opens, or are built in; the first N instances of a task are used, as
Tk-Instruct and the paper do, and `prompts` puts them into words. The user-oriented file has one task a line, in the
released user_oriented_instructions.jsonl format. Whatever is wrong with a file is told in one line, before any model is
loaded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from selfinstruct_train.config import EvalConfig
from selfinstruct_train.core.names import TASKS, USER_ORIENTED
from selfinstruct_train.core.paper_material import how_to_get
from selfinstruct_train.sources.natural_instructions import TaskFiles, open_tasks, read_instances, read_text

from .examples import Example
from .prompts import PromptLimit, WorkedExamples, encode, worked_examples

BUILTIN_TINY = Path(__file__).parent / "data" / "tiny"
_USER_FORMAT = "no user_oriented_instructions.jsonl line"
_DEFINITION_ONLY = EvalConfig()


def load_sets(config: EvalConfig, limit: PromptLimit | None = None) -> dict[str, list[Example]]:
    """Read all that a run evaluates: "tasks", and "user_oriented" where the configuration names such a file.

    Args:
        limit: of the model that is going to be asked, from `prompts.prompt_limit`; it changes texts and nothing else.
    """
    sets: dict[str, list[Example]] = {
        TASKS: load_tasks(config.tasks, config.split, config.max_instances_per_task, config, limit)
    }
    if config.user_oriented is not None:
        examples = load_user_oriented(config.user_oriented)
        sets[USER_ORIENTED] = [encode(example, WorkedExamples(), config, limit) for example in examples]
    return sets


def load_tasks(
    source: str,
    split: str = "default",
    max_instances: int = 100,
    encoding: EvalConfig = _DEFINITION_ONLY,
    limit: PromptLimit | None = None,
) -> list[Example]:
    """Read the examples of a split: its tasks in listed order, of each the first `max_instances`.

    Args:
        source: what `open_tasks` takes; or builtin:tiny.
        encoding: its settings of the prompt are what counts.

    Raises:
        ValueError: a file is missing or is not what it should be; the message names it.
    """
    tasks = _open(source)
    if not tasks.has_examples and (encoding.num_positive_examples or encoding.num_negative_examples):
        raise ValueError(
            f"{tasks.name}: its rows have no worked examples; set eval.num_positive_examples and "
            "eval.num_negative_examples to 0, or take the repository's folder or archive"
        )
    examples: list[Example] = []
    for name in tasks.split(split):
        task, where = tasks.read(name), tasks.where(name)
        shown = worked_examples(where, task, encoding)
        for instance in read_instances(where, name, task, max_instances):
            plain = Example(
                id=instance.id,
                task=name,
                category=task["Categories"][0].strip(),
                instruction=task["Definition"][0].strip(),
                input=instance.input,
                references=instance.outputs,
                distance=task.get("Distance", ""),
            )
            examples.append(encode(plain, shown, encoding, limit))
    _check_ids(tasks.name, examples)
    return examples


def all_examples(source: str, split: str = "default") -> Iterator[Example]:
    """Yield every instance of a split, not only those that are evaluated; one of another shape is passed over.

    Raises:
        ValueError: a file is missing or is no task.
    """
    tasks = _open(source)
    for name in tasks.split(split):
        task = tasks.read(name)
        definition, category = task["Definition"][0].strip(), task["Categories"][0].strip()
        for index, instance in enumerate(task["Instances"]):
            if isinstance(instance, dict) and isinstance(instance.get("input"), str):
                outputs = instance.get("output")
                references = tuple(o for o in outputs if isinstance(o, str)) if isinstance(outputs, list) else ()
                example_id = str(instance.get("id", f"{name}-{index}"))
                yield Example(example_id, name, category, definition, instance["input"], references)


def load_user_oriented(path: str) -> list[Example]:
    """Read a file in the user_oriented_instructions.jsonl format (or builtin:tiny); each line is a task of its own.

    Raises:
        ValueError: the file is missing, empty, or a line is not what it should be.
    """
    file = Path(_resolve(path, BUILTIN_TINY / "user_oriented.jsonl", "eval.user_oriented"))
    examples = [e for number, row in read_jsonl(file) for e in _user_examples(f"{file}:{number}", row)]
    _check_ids(str(file), examples)
    return examples


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) of a JSON-lines file, blank lines left out.

    Raises:
        ValueError: the file cannot be read, holds no line at all, or a line is no JSON object.
    """
    empty = True
    for number, line in enumerate(_read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        empty = False
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{path}:{number}: not JSON ({error})") from None
        if not isinstance(row, dict):
            raise ValueError(f"{path}:{number}: a {type(row).__name__}, where each line must be a JSON object")
        yield number, row
    if empty:
        raise ValueError(f"{path}: the file is empty")


def _open(source: str) -> TaskFiles:
    return open_tasks(_resolve(source, BUILTIN_TINY, "eval.tasks"))


def _resolve(value: str, builtin: Path, field: str) -> str:
    if value.startswith("builtin:"):
        if value != "builtin:tiny":
            raise ValueError(f"{field}: {value!r} is not built in; known: builtin:tiny")
        return str(builtin)
    return value


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        remedy = how_to_get(path)
        raise ValueError(f"{path}: no such file" + (f"; {remedy}" if remedy else "")) from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None


def _user_examples(where: str, row: dict[str, Any]) -> Iterator[Example]:
    for key in ("id", "instruction", "instances"):
        if key not in row:
            raise ValueError(f'{where}: {_USER_FORMAT}: "{key}" is missing; it has {_listed(row)}')
    task, instances = read_text(where, row, "id"), row["instances"]
    if not isinstance(instances, list) or not instances or not all(isinstance(i, dict) for i in instances):
        raise ValueError(f'{where}: "instances" must be a list with at least one {{"input", "output"}}')
    for index, instance in enumerate(instances):
        yield Example(
            id=task if len(instances) == 1 else f"{task}-{index}",
            task=task,
            category=read_text(where, row, "motivation_app", default=""),
            instruction=read_text(where, row, "instruction"),
            input=read_text(where, instance, "input", default=""),
            references=(read_text(where, instance, "output"),),
        )


def _check_ids(source: str, examples: Sequence[Example]) -> None:
    if repeated := _first_repeated([e.id for e in examples]):
        tasks = dict.fromkeys(e.task for e in examples if e.id == repeated)
        raise ValueError(f"{source}: two instances have the id {repeated!r} ({', '.join(tasks)}); ids must differ")


def _first_repeated(names: Sequence[str]) -> str | None:
    seen = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _listed(record: dict[str, Any]) -> str:
    keys = ", ".join(list(record)[:6])
    return keys if keys else "no key at all"
