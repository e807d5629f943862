"""Ask a model about the rows of a dataset: through a journal, within the run's budget, with a live line.

Relabelling and the quality filter share this; the model they ask has a price of its own, by its path.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..config import Config, ModelConfig
from ..config_file import check_price
from ..generate.dataset import Row
from ..generate.progress import display
from ..generate.spending import FREE, Meter, MeteredLM, spent_before
from ..journal import Journal
from ..lm.base import LM
from ..types import Completion, Request, Sampling
from .rows import find_dataset, read_rows


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
    check_price(config.budget, setting, model)


def read_asked(config: Config, setting: str, dataset: str | None, done: str) -> tuple[list[Row], list[Row]]:
    """Read all rows of a dataset, and those of them that a model is asked about: the generated ones.

    Args:
        setting: the dataset's place in the config, "relabel.dataset".
        done: what is done with generated rows only, "relabelled".

    Raises:
        ValueError: there is no dataset, or it holds no generated row.
    """
    path = find_dataset(config, setting, dataset)
    rows = read_rows(path)
    generated = [row for row in rows if row.source == "generated"]
    if not generated:
        raise ValueError(f"{path}: holds no generated row, and only those are {done}; give another dataset")
    return rows, generated


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
