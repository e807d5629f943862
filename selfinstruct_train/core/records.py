"""The records that flow through the pipeline: frozen dataclasses, no behaviour beyond validation; two exceptions.

`Sampling` follows the names of the OpenAI completions API, which the paper's released code used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FinishReason = Literal["stop", "length", "content_filter"]
"""`content_filter`: the provider withholds the answer, now and whenever it is asked; the text is empty."""


class UnansweredError(ValueError):
    """Requests to a model stayed without an answer; those that have one were told before.

    `others_may_be` tells whether it is worth while to ask other requests now.
    """

    def __init__(self, message: str, others_may_be: bool = False) -> None:
        super().__init__(message)
        self.others_may_be = others_may_be


class BudgetReachedError(ValueError):
    """The next request might pass `limit`, a setting; all answers told of before are kept.

    `said` is the message without the remedy; `done` tells how far the run came.
    """

    def __init__(self, said: str, limit: str, done: str = "") -> None:
        done = f"; {done}" if done else ""
        super().__init__(f"{said}{done}; every answer is kept: raise {limit} and give the same command to go on")
        self.said = said
        self.limit = limit


@dataclass(frozen=True)
class Pair:
    """One input and its output; `input` is empty where the instruction alone says everything."""

    input: str
    output: str


@dataclass(frozen=True)
class SeedTask:
    """A hand-written task, in the released seed_tasks.jsonl format."""

    id: str
    instruction: str
    instances: tuple[Pair, ...]
    is_classification: bool


@dataclass(frozen=True)
class Instruction:
    """An accepted instruction of the pool.

    `parents` are the ids of the instructions shown in the prompt that produced it.
    """

    id: str
    text: str
    origin: Literal["seed", "generated"]
    request_id: str = ""
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One training example, in the order of a dataset's columns: the texts, then where they come from.

    `request_id` is the request that wrote the instruction and `parents` what its prompt showed; `instance_request_id`
    wrote input and output, and `finish_reason` says how that answer ended. All four are empty where a person wrote the
    row, and where a file of rows does not say. `input` is empty where the instruction needs none.
    """

    id: str
    instruction: str
    input: str
    output: str
    is_classification: bool = False
    source: Literal["seed", "generated"] = "generated"
    instruction_id: str = ""
    request_id: str = ""
    instance_request_id: str = ""
    parents: tuple[str, ...] = ()
    finish_reason: str = ""


@dataclass(frozen=True)
class EvaluationExample:
    """One evaluation example that no training row may hold; `set` names where it stands, `id` the example or task."""

    set: str
    id: str
    instruction: str
    input: str
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """One prompt for a language model; `seed` fixes its sample.

    With `chat` the prompt is the user's message of a chat: the backend puts it into the model's chat template, and the
    completion is the assistant's message.
    """

    id: str
    prompt: str
    seed: int = 0
    chat: bool = False


@dataclass(frozen=True)
class Sampling:
    """How a completion is drawn: temperature 0 is greedy; penalties act on generated tokens, as OpenAI defines them."""

    max_new_tokens: int = 128
    temperature: float = 0.0
    top_p: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise ValueError(f"max_new_tokens is {self.max_new_tokens}; it must be at least 1")
        if self.temperature < 0:
            raise ValueError(f"temperature is {self.temperature}; it must be 0 (greedy) or more")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is {self.top_p}; it must lie in (0, 1]")
        for name in ("presence_penalty", "frequency_penalty"):
            if not -2 <= getattr(self, name) <= 2:
                raise ValueError(f"{name} is {getattr(self, name)}; it must lie in [-2, 2]")
        if any(not s for s in self.stop):
            raise ValueError("an empty stop string would end every completion at once; remove it")


@dataclass(frozen=True)
class Completion:
    """What the model answered, without the prompt and without the stop text."""

    request_id: str
    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class Score:
    """A metric's value in percent with its 95 % interval over `n` examples of `group`."""

    metric: str
    value: float
    low: float
    high: float
    n: int
    group: str
