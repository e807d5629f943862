"""The live line of a step that asks a model: requests, tokens and cost so far, and what the model is working on.

Time to go is computed from what came since the model was first asked: answers read back from a journal are not
progress.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from ..core.progress import Display, compact, shown
from .budget import FREE, Meter, money


class Spending:
    """What a meter counted, as the source of a live line."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._asked_before = meter.now.num_requests

    def has_begun(self) -> bool:
        """Return whether an answer came since the step began."""
        return self._meter.now.num_requests > self._asked_before

    def text(self) -> str:
        """Return requests, tokens, cost, and the answers that the model is writing."""
        spent = self._meter.spent
        parts = [
            f"{spent.num_requests:,} requests",
            f"{compact(spent.prompt_tokens)} tokens in, {compact(spent.completion_tokens)} out",
            f"{money(spent.cost)} {self._meter.budget.currency}" if self._meter.price != FREE else "",
            in_work_text(self._meter.model),
        ]
        return ", ".join(part for part in parts if part)


def in_work_text(model: object) -> str:
    """Return how many answers a model is writing and how long they are together; empty if it does not say."""
    in_work = getattr(model, "in_work", None)
    now = in_work() if in_work is not None else None
    if now is None or not now.num_requests:
        return ""
    return f"{now.num_requests:,} in work with {compact(now.num_tokens)} tokens"


def display(step: str, unit: str, total: int, meter: Meter) -> AbstractContextManager[Display]:
    """Show a step that asks a model while the block runs."""
    return shown(step, unit, total, Spending(meter))
