"""Instruction data that people wrote, as rows of ours: training tasks of Natural Instructions, and P3 (T0's data).

They are the paper's baselines (arXiv 2212.10560, section 4.2): 50,000 instances of each, of every task. Draws are
balanced over tasks, each from a seed of its own; the rows stand in the order of the source. Rows have source "seed",
which means written by people; `is_classification` is told by nobody and False. Prompts that hold an instance within
them (P3's) become an instruction without input. Nothing is downloaded here but what `hub:` names.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..core.records import Row
from ..core.row_files import is_unicode, raw_records, row_files
from ..core.seeding import derive_seed
from ..sources.natural_instructions import OFFICIAL_NUMBERS, Part, open_tasks, read_instances, read_worked_examples
from ..sources.natural_instructions.hub import HUB
from ..sources.natural_instructions.splits import task_number
from .balanced import Sampler, Texts
from .origin import Origin, write_origin
from .rows import write_rows

logger = logging.getLogger(__name__)

PAPER_ROWS = 50_000
"""Instances that the paper draws from each collection (section 4.2)."""
PARQUET_COPY = "refs/convert/parquet"
"""The Hub's branch with any dataset as parquet, also those with a loading script, which `datasets` runs no more."""
_PAIRS = (("inputs_pretokenized", "targets_pretokenized"), ("inputs", "targets"), ("prompt", "completion"))
_TASK_KEYS = ("Task", "Definition", "Positive Examples", "Instance")
_COLUMNS = (*(name for pair in _PAIRS for name in pair), "is_correct", *_TASK_KEYS)
_END_OF_TEXT = "<|endoftext|>"  # closes completions in the finetuning files of the released code


@dataclass(frozen=True)
class Converted:
    """`num_read` instances of `num_tasks` tasks were looked at; `skipped` counts those that make no row, by reason."""

    rows: list[Row]
    origin: Origin
    num_tasks: int
    num_read: int
    skipped: dict[str, int]


def convert(
    kind: Literal["superni", "p3"],
    sources: Sequence[str],
    split: str | None = None,
    part: Part | None = None,
    test_tasks: str | None = None,
    **limits: Any,
) -> Converted:
    """Make a training set of either kind, with the defaults of the command `selfinstruct convert`.

    Args:
        limits: max_per_task (superni: 100 where None), max_rows, num_positive_examples, seed.

    Raises:
        ValueError: an argument is for the other kind; else as `convert_superni` and `convert_p3`.
    """
    of_others = {"superni": {"test_tasks": test_tasks}, "p3": {"split": split, "part": part}}[kind]
    for name, value in of_others.items():
        if value is not None:
            other = "p3" if kind == "superni" else "superni"
            raise ValueError(f"--{name.replace('_', '-')} is for {other}; leave it out")
    if kind == "p3":
        return convert_p3(sources, test_tasks=test_tasks, **limits)
    if len(sources) > 1:
        raise ValueError(f"superni takes one source, not {len(sources)}: {' '.join(sources)}")
    if limits.get("max_per_task") is None:
        limits["max_per_task"] = 100
    return convert_superni(sources[0], split or "default", part or "train", **limits)


def convert_superni(
    source: str,
    split: str = "default",
    part: Part = "train",
    max_per_task: int | None = None,
    max_rows: int = PAPER_ROWS,
    num_positive_examples: int = 0,
    seed: int = 42,
) -> Converted:
    """Make a training set of the tasks that splits/<split>/<part>_tasks.txt lists; of several references one is drawn.

    Args:
        source: Natural Instructions v2: a folder, archive or hub:owner/name.
        max_per_task: instances of a task; None: as many as balance allows.
        num_positive_examples: so many worked examples of the task follow its definition.

    Raises:
        ValueError: a listed task is a test task too, or no task; the split lists no test tasks, so nobody can tell;
            fewer rows are asked for than there are tasks.
    """
    _check_numbers(max_per_task, max_rows, num_positive_examples)
    files = open_tasks(source)
    if num_positive_examples and not files.has_examples:
        raise ValueError(
            f"{source}: its rows have no worked examples; set --num-positive-examples to 0, or take the repository's "
            "folder or archive"
        )
    test_tasks = files.split(split, "test")
    tasks = files.split(split, part)  # the last one named is what a packed tar keeps at hand
    _check_no_test_task(source, split, tasks, test_tasks)
    sampler = Sampler(max_rows, max_per_task, seed)
    for name in tasks:
        task, where = files.read(name), files.where(name)
        sampler.open(name)
        instruction = _instruction(where, task, num_positive_examples)
        for instance in read_instances(where, name, task):
            sampler.add(name, _answered(instruction, instance.input, instance.outputs, seed, name, instance.id))
    settings = {"source": _shown(source), "split": split, "part": part, "num_positive_examples": num_positive_examples}
    official = {task_number(name) for name in test_tasks} == OFFICIAL_NUMBERS.get(split)
    return _converted(sampler, _superni_origin(len(tasks), official, settings | sampler.settings))


def convert_p3(
    sources: Sequence[str],
    max_per_task: int | None = None,
    max_rows: int = PAPER_ROWS,
    num_positive_examples: int = 0,
    seed: int = 42,
    test_tasks: str | None = None,
) -> Converted:
    """Make a training set of P3, or of other rows that hold a whole prompt and its answer.

    Rows have inputs_pretokenized and targets_pretokenized (P3), inputs and targets (promptsource), prompt and
    completion (the finetuning files of the released code), or Definition and Instance (Tk-Instruct). A task is what a
    row names as "Task", else the file or Hub configuration.

    Args:
        sources: files or folders (jsonl, json, parquet), or hub:owner/name[:configuration][@revision].
        test_tasks: a file that lists tasks which may not get in, one a line; needed where rows name their tasks.

    Raises:
        ValueError: nothing readable is there, a row has another form or belongs to a test task.
    """
    _check_numbers(max_per_task, max_rows, num_positive_examples)
    excluded = None if test_tasks is None else _listed(Path(test_tasks))
    sampler = Sampler(max_rows, max_per_task, seed)
    for source in sources:
        for location, group, record in _records(source):
            task = str(record["Task"]) if record.get("Task") else group
            if record.get("Task") and excluded is None:
                raise ValueError(
                    f"{location}: a row of the task {task}; name the list of test tasks that may not get in "
                    "(--test-tasks)"
                )
            if excluded and (task_number(task) or task) in excluded:
                raise ValueError(f"{location}: {task} is a test task ({test_tasks}); no row of it may be trained on")
            sampler.open(task)
            sampler.add(task, _pair(location, record, num_positive_examples, seed))
    if not sampler.rows:
        raise ValueError(f"{', '.join(sources)}: no row there")
    shown = ", ".join(_shown(source) for source in sources[:5])
    shown += f" and {len(sources) - 5} more" if len(sources) > 5 else ""
    origin = Origin(
        title="P3 and alike",
        text=(
            f"Prompts and answers (tasks or templates: {len(sampler.rows):,}), made of datasets that people made, as "
            "T0 was trained on (P3, arXiv 2110.08207). The instruction is the whole prompt."
        ),
        license="other",
        license_reason="The datasets under the prompts have each a licence of its own; ask there before you use them.",
        settings={"sources": shown} | sampler.settings,
    )
    return _converted(sampler, origin)


def _superni_origin(num_tasks: int, official: bool, settings: dict[str, Any]) -> Origin:
    list_ = f"the list `{settings['part']}` of split `{settings['split']}`, none of whose test tasks is in it"
    if not official:
        return Origin(
            title=f"Training tasks of {settings['source']}",
            text=(
                f"Instances of {num_tasks:,} tasks in the form of Natural Instructions v2: {list_}. The instruction is "
                "the task's definition."
            ),
            license="other",
            license_reason="These are not the official tasks of Natural Instructions; ask whoever made them.",
            settings=settings,
        )
    return Origin(
        title="Natural Instructions, training tasks",
        text=(
            f"Instances of {num_tasks:,} tasks of Natural Instructions v2 (arXiv 2204.07705), written by people or "
            f"taken from datasets that people made: {list_}. The instruction is the task's definition."
        ),
        license="apache-2.0",
        license_reason=(
            "That of the repository of Natural Instructions; each task file names the dataset its instances come from, "
            "which has a licence of its own."
        ),
        settings=settings,
    )


def write_converted(folder: str | Path, converted: Converted) -> list[Path]:
    """Write the rows to `folder`/train.parquet and where they come from to origin.yaml; return the paths."""
    return [write_rows(folder, converted.rows), write_origin(Path(folder), converted.origin)]


def _converted(sampler: Sampler, origin: Origin) -> Converted:
    drawn, rows = sampler.draw(), []
    for task, instances in drawn.items():
        instruction_ids: dict[str, str] = {}
        rows += [_row(f"{task}-{position}", texts, instruction_ids) for position, texts in instances]
    return Converted(rows, origin, len(drawn), sampler.num_read, dict(sorted(sampler.skipped.items())))


def _row(id: str, texts: Texts, instruction_ids: dict[str, str]) -> Row:
    instruction, input, output = texts
    return Row(
        id=id,
        instruction=instruction,
        input=input,
        output=output,
        source="seed",
        instruction_id=instruction_ids.setdefault(instruction, id),
    )


def _check_no_test_task(source: str, split: str, tasks: Sequence[str], test_tasks: Sequence[str]) -> None:
    """Tasks are compared by number, as they are renamed between versions; those without one by name.

    A split of somebody's own may not train on a test task of the official English split either; of the official
    cross-lingual split's list it is only said.
    """
    known: set[int | str] = {task_number(name) or name for name in test_tasks}
    english = [name for name in tasks if task_number(name) in OFFICIAL_NUMBERS["default"]]
    if split not in OFFICIAL_NUMBERS:
        known |= OFFICIAL_NUMBERS["default"]
    elif split != "default" and english:
        logger.warning(
            "%s: %d training tasks of split %r are test tasks of the English one, the first %s; a model trained on "
            "these rows may be evaluated on %r only",
            source,
            len(english),
            split,
            english[0],
            split,
        )
    meeting = [name for name in tasks if (task_number(name) or name) in known]
    if meeting:
        raise ValueError(
            f"{source}: {len(meeting)} of {len(tasks)} tasks are test tasks, the first {meeting[0]}; what is evaluated "
            "may not be trained on, so take them out of the list"
        )


def _check_numbers(max_per_task: int | None, max_rows: int, num_positive_examples: int) -> None:
    for name, value, least in (("--max-rows", max_rows, 1), ("--num-positive-examples", num_positive_examples, 0)):
        if value < least:
            raise ValueError(f"{name} is {value}; it must be {least} or more")
    if max_per_task is not None and max_per_task < 1:
        raise ValueError(f"--max-per-task is {max_per_task}; it must be 1 or more")


def _listed(path: Path) -> set[int | str]:
    remedy = "--test-tasks names a list of task names, one a line"
    if not path.is_file():
        raise ValueError(f"{path}: {'a folder' if path.is_dir() else 'no such file'}; {remedy}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); {remedy}") from None
    lines = (line.strip().removesuffix(".json") for line in text.splitlines())
    names = {task_number(name) or name for name in lines if name}
    if not names:
        raise ValueError(f"{path}: the file is empty; {remedy}")
    return names


def _records(source: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (location, file or configuration, row)."""
    if source.startswith(HUB):
        yield from _hub_records(source)
        return
    path = Path(source)
    if not path.exists():
        raise ValueError(f"{path}: no such file or folder; give .jsonl, .json or .parquet files, or hub:owner/name")
    for file in row_files(path):
        group = file.stem if path.is_file() else file.relative_to(path).with_suffix("").as_posix()
        for location, record in raw_records(file, _COLUMNS):
            if not isinstance(record, dict):
                raise ValueError(f"{location}: not an object")
            yield location, group, record


def _hub_records(source: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    from datasets import load_dataset

    name, _, revision = source.removeprefix(HUB).partition("@")
    repository, _, configuration = name.partition(":")
    # the copy has a folder, and no name, for each configuration
    chosen = {"data_dir" if revision == PARQUET_COPY else "name": configuration or None}
    try:
        data = load_dataset(repository, split="train", revision=revision or None, **chosen)
    except Exception as error:  # of the Hub, the network, pyarrow: all of them are the user's to mend
        reason = " ".join(str(error).split())[:300]
        remedy = f"; name the Hub's own copy: {HUB}{name}@{PARQUET_COPY}" if "scripts are no longer" in reason else ""
        raise ValueError(f"{source}: cannot be loaded ({type(error).__name__}: {reason}){remedy}") from error
    for number, record in enumerate(data):
        yield f"{source} row {number}", configuration or repository.rpartition("/")[2], dict(record)


def _pair(location: str, record: Mapping[str, Any], num_positive_examples: int, seed: int) -> Texts | str:
    """Return instruction, input and output of a row of any known form, or why it is left out."""
    if isinstance(record.get("Instance"), Mapping):
        instance, outputs = record["Instance"], record["Instance"].get("output")
        if not isinstance(outputs, list):
            raise ValueError(f'{location}: "output" is {outputs!r}, where a list of texts must be')
        texts = [_text(location, "output", output) for output in outputs]
        instruction = _instruction(location, record, num_positive_examples)
        return _answered(
            instruction, _text(location, "input", instance.get("input", "")), texts, seed, location.rpartition("/")[2]
        )
    keys = next((pair for pair in _PAIRS if pair[0] in record and pair[1] in record), None)
    if keys is None:
        known = ", or ".join(" and ".join(pair) for pair in (*_PAIRS, ("Definition", "Instance")))
        raise ValueError(f"{location}: it has {', '.join(record) or 'no key'}; expected {known}")
    if record.get("is_correct") is False:  # P3 lists every answer choice of tasks scored by rank
        return "wrong answer choice"
    prompt, answer = (_text(location, key, record[key]) for key in keys)
    answer = answer.strip().removesuffix(_END_OF_TEXT).strip()
    return (prompt.strip(), "", answer) if prompt.strip() and answer else "empty"


def _answered(instruction: str, input: str, outputs: Sequence[str], seed: int, *coordinates: str) -> Texts | str:
    """Return the texts of an instance, one reference drawn, as Tk-Instruct's training does."""
    texts = [text.strip() for text in outputs if text.strip()]
    if len(texts) > 1:  # a generator for each of a million instances would take longer than reading them
        texts = [random.Random(derive_seed(seed, "convert", "reference", *coordinates)).choice(texts)]
    return (instruction, input.strip(), texts[0]) if texts else "empty"


def _instruction(location: str, task: Mapping[str, Any], num_positive_examples: int) -> str:
    """Return the definition, followed by worked examples in the form in which the evaluation shows them."""
    definition = task.get("Definition")
    definition = definition[0] if isinstance(definition, list) and definition else definition
    text = _text(location, "Definition", definition).strip()
    if not text:
        raise ValueError(f'{location}: "Definition" is empty')
    examples = read_worked_examples(location, {"Positive Examples": task.get("Positive Examples") or []}, "Positive")
    for number, example in enumerate(examples[:num_positive_examples], start=1):
        text += f"\n\nPositive Example {number}\nInput: {example.input.strip()}\nOutput: {example.output.strip()}"
    return text


def _text(location: str, name: str, value: Any) -> str:
    if not isinstance(value, str) or not is_unicode(value):
        raise ValueError(f"{location}: {name!r} is {value!r}, where text must be")
    return value


def _shown(source: str) -> str:
    """A source without the machine's folders."""
    return source if source.startswith(HUB) else Path(source).name
