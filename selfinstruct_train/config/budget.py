"""What a run may cost, and the prices of its models."""

from __future__ import annotations

from dataclasses import dataclass, field

from .model import ModelConfig
from .ranges import check_range


@dataclass(frozen=True)
class Price:
    """Of one model, for a million tokens."""

    input: float
    output: float


@dataclass(frozen=True)
class BudgetConfig:
    """What a run may cost. A limit stops it cleanly; raise the limit and give the same command to go on."""

    currency: str = "USD"
    prices: dict[str, Price] = field(default_factory=dict)
    """By model.path; a model that is not named costs nothing."""
    max_cost: float | None = None
    """In `currency`, for the whole run directory; null: no limit."""
    max_tokens: int | None = None
    """Prompt and completion tokens together, for the whole run directory; null: no limit."""
    forecast: bool = False
    """Before the run, ask a few of its own requests and estimate tokens, cost and time from them; a run with prices or
    limits always does. The answers are kept."""

    def __post_init__(self) -> None:
        check_range(
            "budget", self, ("max_cost", "max_tokens"), lambda x: x > 0, "it must be above 0, or null for no limit"
        )
        for model, price in self.prices.items():
            if not (price.input >= 0 and price.output >= 0):
                raise ValueError(
                    f"budget.prices: {model!r} has a price below 0 or none ({price.input}, {price.output})"
                )


def check_price(budget: BudgetConfig, setting: str, model: ModelConfig) -> None:
    """Refuse a model without a price where money is limited; `setting` is its place in the config, "relabel.model".

    Raises:
        ValueError: one line with the remedy.
    """
    if budget.max_cost is not None and model.path not in budget.prices:
        raise ValueError(
            f"budget.max_cost is {budget.max_cost}, but budget.prices has no price for {setting}.path "
            f"{model.path!r}; name its price for a million tokens, input and output"
        )
