"""Ask a model many questions: through a journal, within the run's budget, with a live line.

Relabelling, the quality filter, the evaluation and the judge share this; a model has a price of its own, by its path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..config import Config, ModelConfig, check_price
from ..core.journal import Journal
from ..core.records import Completion, Request, Sampling
from .base import LM
from .budget import FREE, Meter, MeteredLM, spent_before
from .progress import display


def check_model(config: Config, setting: str, model: ModelConfig, role: str) -> None:
    """Refuse a model that was not named, and one without a price where money is limited.

    Args:
        setting: the model's key in the config, "relabel.model".
        role: what it is wanted for, to end "give ...".

    Raises:
        ValueError: one line with the remedy.
    """
    if model == ModelConfig():
        raise ValueError(f"{setting}.path names no model; give {role}")
    check_price(config.budget, setting, model)


@dataclass(frozen=True)
class Questions:
    """Requests that are answered in one way; the live line shows `stage` and counts in `unit`."""

    stage: str
    requests: Sequence[Request]
    sampling: Sampling
    unit: str = "rows"


def ask(config: Config, model: ModelConfig, lm: LM, journal: Journal, questions: Questions) -> list[Completion]:
    """Answer every request, in order, from the journal or by `lm`, which `model` describes.

    Raises:
        BudgetReachedError: the next request might pass a limit of the run's budget; the answers so far are kept.
        UnansweredError: some requests stayed open; the same command asks for them again.
    """
    meter = Meter(config.budget, config.budget.prices.get(model.path, FREE), spent_before(config, ()))
    with display(questions.stage, questions.unit, len(questions.requests), meter) as live:
        return journal.complete(
            MeteredLM(lm, meter), questions.requests, questions.sampling, lambda answers: live.add(len(answers))
        )
