"""What a run has cost, what it may still cost, and a language model that stays within it.

Tokens are those the model counted. A request is sent only if its worst case (all of max_new_tokens) fits into what is
left, so a limit is passed by nothing but prompts that turn out longer than estimated: their tokens are estimated at the
highest ratio of tokens to bytes seen so far, before the first answer at one token a byte.

Not counted: what a provider bills for a request that failed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config import BudgetConfig, Config, Price
from ..core.journal import Journal, read_journal
from ..core.records import BudgetReachedError, Completion, Request, Sampling
from .base import LM, OnAnswer

FREE = Price(0.0, 0.0)


@dataclass(frozen=True)
class Usage:
    """Requests answered and their tokens; `cost` is in the budget's currency."""

    num_requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens together."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.num_requests + other.num_requests,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost + other.cost,
        )

    def __sub__(self, other: Usage) -> Usage:
        return Usage(
            self.num_requests - other.num_requests,
            self.prompt_tokens - other.prompt_tokens,
            self.completion_tokens - other.completion_tokens,
            self.cost - other.cost,
        )


def usage_of(completions: Sequence[Completion], price: Price = FREE) -> Usage:
    """Add up what completions took."""
    prompt, completion = sum(c.prompt_tokens for c in completions), sum(c.completion_tokens for c in completions)
    return Usage(len(completions), prompt, completion, cost_of(price, prompt, completion))


def cost_of(price: Price, prompt_tokens: float, completion_tokens: float) -> float:
    """The cost of so many tokens."""
    return (prompt_tokens * price.input + completion_tokens * price.output) / 1e6


def price_of(lm_name: str, budget: BudgetConfig) -> Price:
    """The price of a model by the name that stands in journals, "<path>@<revision> ..."; nothing if it has none."""
    paths = [path for path in budget.prices if lm_name.startswith(f"{path}@")]
    return budget.prices[max(paths, key=len)] if paths else FREE


class Meter:
    """What was spent and how much is left.

    Args:
        price: of the model in hand.
        before: what the run directory's journals had cost when this process began.
    """

    def __init__(self, budget: BudgetConfig, price: Price, before: Usage) -> None:
        self.budget = budget
        self.price = price
        self.before = before
        self.now = Usage()
        """What this process asked for."""
        self.seconds = 0.0
        """How long the model was at work for it."""
        self.model: object = None
        """The model in hand; it may tell what it is working on."""
        self._tokens_per_byte: float | None = None
        self._kept_bytes = self._kept_tokens = 0

    @property
    def spent(self) -> Usage:
        """All that the run directory has cost."""
        return self.before + self.now

    def add(self, request: Request, completion: Completion) -> None:
        """Count an answer."""
        self.now += usage_of([completion], self.price)
        ratio = completion.prompt_tokens / max(1, num_prompt_bytes(request))
        self._tokens_per_byte = max(ratio, self._tokens_per_byte or 0.0)

    def keep_back(self, prompt_bytes: int, completion_tokens: int) -> None:
        """Let so much more be untouched from now on, for requests that are still to come."""
        self._kept_bytes += prompt_bytes
        self._kept_tokens += completion_tokens

    def release(self) -> None:
        """Keep nothing back any more: what it was kept for begins."""
        self._kept_bytes = self._kept_tokens = 0

    @property
    def kept_back(self) -> Usage:
        """The worst case of what is kept back."""
        return self._worst(self._kept_bytes, self._kept_tokens)

    def num_affordable(self, requests: Sequence[Request], sampling: Sampling) -> int:
        """How many of the first requests fit into what is left, each at its worst."""
        limits = self.budget.max_tokens, self.budget.max_cost
        if limits == (None, None):
            return len(requests)
        taken = self.spent + self.kept_back
        for number, request in enumerate(requests):
            taken += self._worst(num_prompt_bytes(request), sampling.max_new_tokens)
            if self._passed_limit(taken):
                return number
        return len(requests)

    def refuse(self, request: Request, sampling: Sampling) -> BudgetReachedError:
        """Say in one line which limit forbids the request, and what was spent."""
        worst = self._worst(num_prompt_bytes(request), sampling.max_new_tokens)
        limit = self._passed_limit(self.spent + self.kept_back + worst)
        assert limit is not None, "the request fits"
        unit = "tokens" if limit == "max_tokens" else self.budget.currency

        def amount(usage: Usage) -> str:
            return f"{usage.tokens:,}" if limit == "max_tokens" else money(usage.cost)

        total = self.budget.max_tokens if limit == "max_tokens" else money(self.budget.max_cost or 0.0)
        kept = f", {amount(self.kept_back)} are kept back to finish what is accepted" if self._kept_bytes else ""
        return BudgetReachedError(
            f"budget.{limit} is reached: {amount(self.spent)} of {total} {unit} are spent{kept}, and the next request "
            f"may take {amount(worst)}",
            f"budget.{limit}",
        )

    def _worst(self, prompt_bytes: int, completion_tokens: int) -> Usage:
        ratio = 1.0 if self._tokens_per_byte is None else self._tokens_per_byte
        prompt_tokens = math.ceil(prompt_bytes * ratio)
        return Usage(1, prompt_tokens, completion_tokens, cost_of(self.price, prompt_tokens, completion_tokens))

    def _passed_limit(self, usage: Usage) -> str | None:
        """The name of the first limit that `usage` passes."""
        if self.budget.max_tokens is not None and usage.tokens > self.budget.max_tokens:
            return "max_tokens"
        # a sum of float prices may pass a limit by its last bits alone
        if self.budget.max_cost is not None and usage.cost > self.budget.max_cost * (1 + 1e-9):
            return "max_cost"
        return None


class MeteredLM:
    """A language model whose answers are counted, and which is asked for no more than the budget can bear."""

    def __init__(self, lm: LM, meter: Meter) -> None:
        self.name = lm.name
        self.chunk_size = lm.chunk_size
        self._lm = lm
        self._meter = meter
        meter.model = lm

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        """Answer every request; see `lm.base.LM`.

        Requests go out in as many parts as it takes: as answers turn out cheaper than their worst case, more follow.

        Raises:
            BudgetReachedError: the first request that is left does not fit; those before it were answered and told of.
        """
        answers: list[Completion] = []
        while len(answers) < len(requests):
            rest = requests[len(answers) :]
            number = self._meter.num_affordable(rest, sampling)
            if number == 0:
                raise self._meter.refuse(rest[0], sampling)
            answers += self._ask(rest[:number], sampling, on_answer)
        return answers

    def _ask(self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None) -> list[Completion]:
        asked = {r.id: r for r in requests}
        untold = set(asked)

        def tell(completions: Sequence[Completion]) -> None:
            for completion in completions:
                untold.discard(completion.request_id)
                self._meter.add(asked[completion.request_id], completion)
            if on_answer is not None:
                on_answer(completions)

        start = time.monotonic()
        try:
            answers = self._lm.complete(requests, sampling, tell)
        finally:
            self._meter.seconds += time.monotonic() - start
        rest = [a for a in answers if a.request_id in untold]  # a simple model returns answers without telling of them
        if rest:
            tell(rest)
        return answers


def spent_before(config: Config, journals: Sequence[Journal]) -> Usage:
    """What the answers in a run directory have cost: the open `journals` of model.path, and all others beside them.

    The others (probe, relabelling, evaluation ...) are read only where there is a price or a limit.
    """
    price = config.budget.prices.get(config.model.path, FREE)
    usage = Usage()
    for journal in journals:
        usage += usage_of(journal.completions(), price)
    if not is_budgeted(config.budget):
        return usage
    known = {journal.path for journal in journals}
    for path in sorted((Path(config.run_dir) / "journal").glob("*.jsonl")):
        if path not in known:
            header, completions = read_journal(path)
            usage += usage_of(completions, price_of(str(header.get("lm", "")), config.budget))
    return usage


def is_budgeted(budget: BudgetConfig) -> bool:
    """Whether prices or limits are set."""
    return bool(budget.prices) or budget.max_cost is not None or budget.max_tokens is not None


def money(amount: float) -> str:
    """Two digits after the point, more for small amounts: 12.30, 0.0123."""
    return f"{amount:,.2f}" if amount >= 1 or amount == 0 else f"{amount:.3g}"


def num_prompt_bytes(request: Request) -> int:
    """The length of a prompt in UTF-8, from which its tokens are estimated."""
    return len(request.prompt.encode("utf-8", "surrogatepass"))
