"""Answers of made-up systems to the tiny world's tasks, and judges by rule who grade them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

from selfinstruct_eval.examples import Example
from selfinstruct_train.core.records import Completion, Request, Sampling
from selfinstruct_train.lm.base import OnAnswer

PADDING = " as far as I know, and I am glad to tell you so"


class RuleLM:
    """Answers by `rule`, which sees prompt and seed; killed before answer number `dies_at`."""

    name = "rule@1 scripted"
    chunk_size = 64

    def __init__(self, rule: Callable[[Request], str], dies_at: int | None = None) -> None:
        self.rule, self.dies_at = rule, dies_at
        self.asked: list[Request] = []

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        answers = []
        for request in requests:
            if len(self.asked) == self.dies_at:
                if on_answer is not None:
                    on_answer(answers)
                raise KeyboardInterrupt
            self.asked.append(request)
            answers.append(Completion(request.id, self.rule(request), "stop", 9, 3))
        return answers


def shown(prompt: str, title: str) -> str:
    """The text under a heading of a prompt."""
    found = re.search(rf"^=== {title}[^\n]* ===\n(.*?)\n\n===", prompt, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def is_right(prompt: str, title: str) -> bool:
    """Whether the answer under a heading says what the right answers say, padded or not."""
    return shown(prompt, title).removesuffix(PADDING) == shown(prompt, "Right answers")


def coin(request: Request, *coordinates: object) -> float:
    """A number in [0, 1) of the request's own."""
    digest = hashlib.sha256(repr((request.seed, *coordinates)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def first_always(request: Request) -> str:
    return "Better: 1" if "=== Answer 2" in request.prompt else "Grade: A"


def longer_always(request: Request) -> str:
    if "=== Answer 2" not in request.prompt:
        return "Grade: B" if len(shown(request.prompt, "Answer")) > 20 else "Grade: C"
    first, second = len(shown(request.prompt, "Answer 1")), len(shown(request.prompt, "Answer 2"))
    return "Better: tie" if first == second else f"Better: {1 if first > second else 2}"


def knows_the_references(request: Request) -> str:
    if "=== Answer 2" not in request.prompt:
        return "Grade: A" if is_right(request.prompt, "Answer") else "Grade: D"
    first, second = is_right(request.prompt, "Answer 1"), is_right(request.prompt, "Answer 2")
    return "Better: tie" if first == second else f"Better: {1 if first else 2}"


def rolls_dice(request: Request) -> str:
    if "=== Answer 2" not in request.prompt:
        return f"Grade: {'ABCD'[int(4 * coin(request))]}"
    return f"Better: {1 if coin(request) < 0.5 else 2}"


def mostly_knows(request: Request) -> str:
    """Knows the references, but rolls dice on three requests of ten."""
    return rolls_dice(request) if coin(request, "noise") < 0.3 else knows_the_references(request)


def answers_of(examples: Sequence[Example], right: int, padded: int, offset: int = 0) -> tuple[str, ...]:
    """Of every ten answers so many are right, and so many padded; a wrong one is right for the next example."""
    texts = []
    for i, example in enumerate(examples):
        number = (i * 3 + offset) % 10
        other = examples[(i + 1) % len(examples)].references[0]
        text = example.references[0] if number < right else f"not {other}"
        texts.append(text + (PADDING if (i * 7 + offset) % 10 < padded else ""))
    return tuple(texts)


def world(examples: Sequence[Example]) -> dict[str, tuple[str, ...]]:
    """base is right in 2 of 10, seeds in 5, seeds+generated in 9; all are padded now and then."""
    return {
        "base": answers_of(examples, 2, 3),
        "seeds": answers_of(examples, 5, 3, 4),
        "seeds+generated": answers_of(examples, 9, 3, 8),
    }
