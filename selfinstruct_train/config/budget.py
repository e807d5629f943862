"""What a run may cost, and the prices of its models."""

from __future__ import annotations

from dataclasses import dataclass, field

from .model import ModelConfig
from .ranges import check_range


@dataclass(frozen=True)
class Price:
    """Price of a model for a million tokens, in `budget.currency`."""

    input: float
    """Price of a million prompt tokens."""
    output: float
    """Price of a million completion tokens."""


@dataclass(frozen=True)
class BudgetConfig:
    """Cost limits. A run stops cleanly at a limit; raise the limit and repeat the command to continue."""

    currency: str = "USD"
    """Name of the currency, for messages and reports."""
    prices: dict[str, Price] = field(default_factory=dict)
    """Price of each model, by model.path. A model without a price is free."""
    max_cost: float | None = None
    """Maximum cost of everything in the run directory, in `currency`; null: no limit."""
    max_tokens: int | None = None
    """Maximum number of prompt and completion tokens in the run directory; null: no limit."""
    forecast: bool = False
    """Before the run, send a few of its requests and estimate tokens, cost and time. The answers are kept. A run with
    prices or limits always does this."""

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
    """Check that a model has a price if the cost is limited.

    Args:
        setting: the model's section in the config, e.g. "relabel.model".

    Raises:
        ValueError: the model has no price.
    """
    if budget.max_cost is not None and model.path not in budget.prices:
        raise ValueError(
            f"budget.max_cost is {budget.max_cost}, but budget.prices has no price for {setting}.path "
            f"{model.path!r}; name its price for a million tokens, input and output"
        )
