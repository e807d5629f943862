"""Ask a model about the rows of a dataset: through a journal, within the run's budget, with a live line.

Relabelling and the quality filter share this; the model they ask has a price of its own, by its path.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..config import Config, ModelConfig
from ..generate.progress import display
from ..generate.spending import FREE, Meter, MeteredLM, spent_before
from ..journal import Journal
from ..lm.base import LM
from ..types import Completion, Request, Sampling


def check_model(config: Config, setting: str, model: ModelConfig, role: str) -> None:
    """Refuse a model that was not named, and one without a price where money is limited.

    Args:
        setting: the model's place in the config, "relabel.model".
        role: what it is wanted for, to end "give ...".

    Raises:
        ValueError: one line with the remedy.
    """
    if model == ModelConfig():
        raise ValueError(f"{setting}.path names no model; give {role}")
    if config.budget.max_cost is not None and model.path not in config.budget.prices:
        raise ValueError(
            f"budget.max_cost is {config.budget.max_cost}, but budget.prices has no price for {setting}.path "
            f"{model.path!r}; name its price for a million tokens, input and output"
        )


def ask(
    config: Config,
    stage: str,
    model: ModelConfig,
    lm: LM,
    journal: Journal,
    requests: Sequence[Request],
    sampling: Sampling,
) -> list[Completion]:
    """Answer every request, in order, from the journal or by `lm`, which `model` describes.

    Raises:
        BudgetReachedError: the next request might pass a limit of the run's budget; the answers so far are kept.
        UnansweredError: some requests stayed open; the same command asks for them again.
    """
    meter = Meter(config.budget, config.budget.prices.get(model.path, FREE), spent_before(config, ()))
    num_answered = 0
    with display(stage, "rows", len(requests), meter) as shown:

        def progress(num: int) -> None:
            nonlocal num_answered
            num_answered += num
            shown.update(num_answered)

        return journal.complete(MeteredLM(lm, meter), requests, sampling, progress)
