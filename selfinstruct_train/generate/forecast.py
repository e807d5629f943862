"""What a run will take, estimated from a few of its own requests: their answers are kept, so nothing is paid for twice.

The acceptance rate falls as the pool fills, so the further the target the more a forecast from the first rounds is a
lower bound; a resumed run estimates from all that its journals hold.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..config import BudgetConfig, Price
from ..core.names import KEPT, STAGES, Stage
from ..core.progress import compact, duration
from ..core.records import Instruction
from ..core.stats import wilson_interval
from ..lm.budget import FREE, Usage, cost_of, money, usage_of
from .self_instruct.classify import classify
from .self_instruct.instances import PAPER_BATCH_SIZE, generate_instances
from .self_instruct.instructions import InstructionStage, generate_instructions
from .session import Session

NUM_SAMPLED = 2 * PAPER_BATCH_SIZE
"""Accepted instructions that stages 2 and 3 are tried on; whole batches, in which the paper's token limits are set."""


@dataclass(frozen=True)
class Sampled:
    """What was asked so far, from which the rest is estimated.

    Stage 1's `num_requests` gave `num_candidates`, of which `num_kept` (not 0) were accepted. `usages` holds the tokens
    of the requests by stage, `pace` the seconds that a request takes, None where none was asked.
    """

    num_requests: int
    num_candidates: int
    num_kept: int
    usages: dict[Stage, Usage]
    pace: dict[Stage, float | None]


@dataclass(frozen=True)
class StageForecast:
    """What a stage will take from beginning to end; `num_sampled` requests are what this is reckoned from."""

    stage: str
    num_sampled: int
    num_requests: float
    prompt_tokens: float
    completion_tokens: float
    cost: float
    seconds: float | None


@dataclass(frozen=True)
class Forecast:
    """What a whole run will take.

    `acceptance` is the share of stage 1's candidates that stay, with its 95 % interval (Wilson, candidates taken as
    independent); `stops_at` the number of instructions at which a limit ends the run, if one does.
    """

    num_instructions: int
    num_candidates: int
    acceptance: tuple[float, float, float]
    stages: list[StageForecast]
    stops_at: int | None


def forecast(session: Session) -> Forecast | None:
    """Ask the first round of stage 1 and the classes and instances of a few that it gave, and estimate the run.

    Where the journals hold more already, nothing is asked. None: not one candidate was accepted.

    Raises:
        BudgetReachedError: a limit does not even allow this.
    """
    settings = session.plan.settings
    journal = session.journals["instructions"]
    num_rounds = max(1, len(journal) // settings.requests_per_round)
    num_requests = num_rounds * settings.requests_per_round
    if settings.max_requests is not None:
        num_requests = min(num_requests, settings.max_requests)
    sampled = dataclasses.replace(settings, max_requests=num_requests)
    before = session.meter.seconds, session.meter.now.num_requests
    stage = generate_instructions(dataclasses.replace(session, plan=session.plan.with_settings(sampled)))
    return forecast_from(session, stage, _pace(session, before))


def forecast_from(session: Session, stage: InstructionStage, seconds_per_request: float | None) -> Forecast | None:
    """Estimate from a stage 1 that has begun; asks for the classes and instances of its first few instructions."""
    settings, budget = session.plan.settings, session.plan.config.budget
    pace: dict[Stage, float | None] = {"instructions": seconds_per_request}
    sample: Sequence[Instruction] = stage.accepted[:NUM_SAMPLED]
    if not sample:
        return None
    before = session.meter.seconds, session.meter.now.num_requests
    labels = classify(session, sample)
    pace["classification"] = _pace(session, before)
    before = session.meter.seconds, session.meter.now.num_requests
    generate_instances(session, sample, [outcome.is_classification for outcome in labels])
    pace["instances"] = _pace(session, before)
    usages = {name: usage_of(session.journals[name].completions(), session.meter.price) for name in STAGES}
    num_kept = sum(outcome.verdict == KEPT for outcome in stage.outcomes)
    others = session.meter.spent.tokens - sum(u.tokens for u in usages.values())
    others_cost = session.meter.spent.cost - sum(u.cost for u in usages.values())
    reachable = settings.num_instructions
    if settings.max_requests is not None:
        reachable = min(reachable, round(settings.max_requests * num_kept / stage.num_requests))
    sampled = Sampled(stage.num_requests, len(stage.outcomes), num_kept, usages, pace)
    spent = Usage(prompt_tokens=others, cost=others_cost)
    return estimate_requests(reachable, sampled, session.meter.price, budget, spent)


def estimate_requests(
    num_instructions: int, sampled: Sampled, price: Price, budget: BudgetConfig, others: Usage
) -> Forecast:
    """Extrapolate to so many instructions.

    Args:
        others: spent in the run directory on other things than these stages.
    """
    wanted: dict[Stage, float] = {
        "instructions": num_instructions * sampled.num_requests / sampled.num_kept,
        "classification": num_instructions,
        "instances": num_instructions,
    }
    stages = []
    for name, number in wanted.items():
        usage = sampled.usages[name]
        prompt, completion = (
            number * usage.prompt_tokens / usage.num_requests,
            number * usage.completion_tokens / usage.num_requests,
        )
        seconds = sampled.pace[name]
        stages.append(
            StageForecast(
                name,
                usage.num_requests,
                number,
                prompt,
                completion,
                cost_of(price, prompt, completion),
                None if seconds is None else seconds * number,
            )
        )
    tokens = sum(s.prompt_tokens + s.completion_tokens for s in stages)
    stops = []
    if budget.max_tokens is not None:
        stops.append((budget.max_tokens - others.tokens) / tokens)
    if budget.max_cost is not None and price != FREE:
        stops.append((budget.max_cost - others.cost) / sum(s.cost for s in stages))
    share = min(stops, default=1.0)
    stops_at = max(0, math.floor(num_instructions * share)) if share < 1 else None
    share_kept = sampled.num_kept / sampled.num_candidates
    acceptance = (share_kept, *wilson_interval(share_kept, sampled.num_candidates))
    return Forecast(num_instructions, sampled.num_candidates, acceptance, stages, stops_at)


def forecast_table(forecast: Forecast, budget: BudgetConfig) -> str:
    """A table for the log, and below it how sure it is and whether the limits will do; cost is - without a price."""
    lines = [
        f"forecast for {forecast.num_instructions:,} instructions",
        f"{'stage':<16}{'asked':>7}{'requests':>10}{'tokens in':>11}{'tokens out':>12}{budget.currency:>10}  time",
    ]
    for s in forecast.stages:
        lines.append(
            f"{s.stage:<16}{s.num_sampled:>7,}"
            + _figures(s.num_requests, s.prompt_tokens, s.completion_tokens, s.cost, s.seconds)
        )
    known = [s.seconds for s in forecast.stages if s.seconds is not None]
    lines.append(
        f"{'all':<16}{sum(s.num_sampled for s in forecast.stages):>7,}"
        + _figures(
            sum(s.num_requests for s in forecast.stages),
            sum(s.prompt_tokens for s in forecast.stages),
            sum(s.completion_tokens for s in forecast.stages),
            sum(s.cost for s in forecast.stages),
            sum(known) if len(known) == len(forecast.stages) else None,
        )
    )
    rate, low, high = forecast.acceptance
    first = forecast.stages[0].num_requests
    lines.append(
        f"acceptance {rate:.0%} [{low:.0%}, {high:.0%}] of {forecast.num_candidates:,} candidates, so between "
        f"{first * rate / high:,.0f} and {first * rate / low:,.0f} requests of stage 1; it falls as the pool fills"
    )
    if forecast.stops_at is not None:
        lines.append(
            f"THE LIMIT WILL NOT DO: it ends the run at about {forecast.stops_at:,} instructions; raise it, or set "
            "generate.num_instructions to that"
        )
    return "\n".join(lines)


def _figures(requests: float, prompt: float, completion: float, cost: float, seconds: float | None) -> str:
    time = "unknown" if seconds is None else duration(seconds)
    return f"{requests:>10,.0f}{compact(prompt):>11}{compact(completion):>12}{money(cost) if cost else '-':>10}  {time}"


def _pace(session: Session, before: tuple[float, int]) -> float | None:
    """Seconds a request since `before` = (seconds, requests); None if there was none."""
    seconds, num_requests = before
    asked = session.meter.now.num_requests - num_requests
    return (session.meter.seconds - seconds) / asked if asked else None
