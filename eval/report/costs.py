"""What a run has cost: requests, tokens and money by stage, read from its journals, and the hours of its training.

Money is counted at `budget.prices`; a model without a price is run on one's own machine, and its cost stays unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from selfinstruct_train.config import Config
from selfinstruct_train.core.journal import read_journal
from selfinstruct_train.core.names import STAGES
from selfinstruct_train.lm.budget import FREE, Usage, price_of, usage_of

_STAGES = ("probe", "forecast", *STAGES, "relabel", "quality", "eval")


@dataclass(frozen=True)
class StageCost:
    """`money` is None where none of the stage's models has a price."""

    stage: str
    num_requests: int
    prompt_tokens: int
    completion_tokens: int
    money: float | None


@dataclass(frozen=True)
class Costs:
    """Of all stages that have a journal; `currency` is the budget's."""

    stages: tuple[StageCost, ...]
    total: StageCost
    currency: str


def read_costs(config: Config) -> Costs | None:
    """Add up the journals of a run; None where it has none.

    Raises:
        ValueError: a journal is broken.
    """
    usages: dict[str, Usage] = {}
    priced = set()
    for path in sorted((Path(config.run_dir) / "journal").glob("*.jsonl")):
        header, completions = read_journal(path)
        stage, price = str(header.get("stage", path.stem)), price_of(str(header.get("lm", "")), config.budget)
        usages[stage] = usages.get(stage, Usage()) + usage_of(completions, price)
        if price != FREE:
            priced.add(stage)
    if not usages:
        return None
    order = {stage: number for number, stage in enumerate(_STAGES)}
    names = sorted(usages, key=lambda stage: (order.get(stage, len(order)), stage))
    stages = tuple(_cost(name, usages[name], name in priced) for name in names)
    return Costs(stages, _cost("all", sum(usages.values(), Usage()), bool(priced)), config.budget.currency)


def _cost(stage: str, usage: Usage, is_priced: bool) -> StageCost:
    money = usage.cost if is_priced else None
    return StageCost(stage, usage.num_requests, usage.prompt_tokens, usage.completion_tokens, money)
