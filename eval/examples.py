"""What an evaluation asks: one example, whatever file it was read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """One thing a model is asked, with every answer that counts as right.

    `task` is what examples are clustered by, `category` the kind of task (for user-oriented tasks the application that
    motivated them), `distance` "near" or "far" from the seed tasks where the task file says so, else empty. `prompt` is
    the whole text a model is asked where the encoding makes one (`eval.encoding`); empty: the training template does.
    """

    id: str
    task: str
    category: str
    instruction: str
    input: str
    references: tuple[str, ...]
    distance: str = ""
    prompt: str = ""


@dataclass(frozen=True)
class ExampleSet:
    """The examples of one evaluation set; `source` says where they were read from, for people."""

    name: str
    source: str
    examples: Sequence[Example]
