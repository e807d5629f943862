"""The one door to a language model: what every backend offers and promises.

Generation, evaluation and judge all speak to a model through `LM.complete`. A sample depends on its own
(prompt, sampling, request seed) and on nothing else: not on the other requests of the call, their order or number.
One answer per request, in order, without prompt and without stop text. A request that cannot be answered raises; a
failure never becomes an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..core.records import Completion, Request, Sampling, UnansweredError

__all__ = ["LM", "InWork", "OnAnswer", "UnansweredError"]

OnAnswer = Callable[[Sequence[Completion]], None]
"""Called with answers as soon as there are some, in any order; with each answer once, before `complete` returns."""


@dataclass(frozen=True)
class InWork:
    """The answers that a model is writing at this moment: how many, and how many tokens they have together."""

    num_requests: int
    num_tokens: int


class LM(Protocol):
    """A language model that completes text.

    `name` holds model, revision, backend and dtype and stands in every journal header. `chunk_size` is how many
    requests the backend likes at once: callers may cut their work so; it is speed only and cannot change an answer.
    A backend may have a method `in_work() -> InWork` too, which the live line asks from another thread.
    """

    name: str
    chunk_size: int

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        """Answer every request, in order.

        Args:
            on_answer: told of every answer as soon as it is there, so that it can be kept before the next one comes; if
                the call is cut short, what was told is all there is. What it raises ends the call.

        Raises:
            ValueError: a request cannot be answered as it is (too long for the model, say).
            UnansweredError: requests stayed without an answer; asking them again later may help.
        """
        ...
