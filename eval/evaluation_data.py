"""The evaluation data that no generated row may overlap, read for the contamination gate of the generation.

A set is "eval" (what a run's section `eval` names), a source of Natural Instructions, a file of user-oriented tasks, or
rows of instruction data. All is checked when it is opened, before anything costly; afterwards it is read from disk on
every pass, all instances of a task and not only those that are evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from selfinstruct_train.config import Config
from selfinstruct_train.core.records import EvaluationExample
from selfinstruct_train.core.row_files import read_records
from selfinstruct_train.sources.natural_instructions import is_task_source

from .examples import Example
from .tasks import all_examples, load_sets, load_tasks, load_user_oriented, read_jsonl


@dataclass(frozen=True)
class EvaluationData:
    """Iterated any number of times; `config` says what."""

    config: Config

    def __iter__(self) -> Iterator[EvaluationExample]:
        evaluation = self.config.eval
        for name in self.config.generate.contamination.sets:
            if name == "eval":
                yield from _held("eval.tasks", all_examples(evaluation.tasks, evaluation.split))
                if evaluation.user_oriented is not None:
                    yield from _held("eval.user_oriented", load_user_oriented(evaluation.user_oriented))
            else:
                yield from _named(name, evaluation.split)


def open_evaluation_data(config: Config) -> Iterable[EvaluationExample]:
    """Check what `generate.contamination.sets` names; nothing, where the gate is off.

    Raises:
        ValueError: a set is missing or is not what it should be; one line with the remedy.
    """
    if config.generate.contamination.action == "off":
        return ()
    for name in config.generate.contamination.sets:
        try:
            if name == "eval":
                load_sets(config.eval)
            elif is_task_source(name):
                load_tasks(name, config.eval.split)
            else:
                for _ in _named(name, config.eval.split):
                    pass
        except ValueError as error:
            raise ValueError(
                f"{error} (generate.contamination.sets names {name!r}, which no generated row may overlap; "
                "--generate.contamination.action off goes without)"
            ) from error
    return EvaluationData(config)


def _named(name: str, split: str) -> Iterator[EvaluationExample]:
    path = Path(name)
    if is_task_source(name):
        return _held(name, all_examples(name, split))
    if path.suffix == ".jsonl" and path.is_file() and "instances" in next(read_jsonl(path))[1]:
        return _held(name, load_user_oriented(name))
    if not path.exists():
        raise ValueError(f"{name}: no such file or folder")
    return (
        EvaluationExample(name, location, record["instruction"], record["input"], (record["output"],))
        for location, record in read_records(path)
    )


def _held(name: str, examples: Iterable[Example]) -> Iterator[EvaluationExample]:
    for example in examples:
        yield EvaluationExample(name, example.id, example.instruction, example.input, example.references)
