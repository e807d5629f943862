"""Which prompt form suits a model: 20 prompts of stage 1 in every form, the same instructions shown in each.

The answers are kept in <run_dir>/journal/probe-<form>.jsonl, so a form is paid for once. Candidates are filtered as in
a run, against the seed tasks and each other. In a run the pool grows and shares fall, so what is estimated from the
yield is the least that a run takes. Stages 2 and 3 are not probed; `selfinstruct forecast` estimates them.
"""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import get_args

from ..config import BudgetConfig, Config
from ..core.journal import Journal
from ..core.names import KEPT
from ..core.progress import compact, duration
from ..core.records import BudgetReachedError, Instruction, Request
from ..core.seeding import derive_seed
from ..core.stats import mean_intervals
from ..core.storage import text_sha256, write_json
from ..lm.base import LM, UnansweredError
from ..lm.budget import FREE, Meter, MeteredLM, Usage, money, spent_before, usage_of
from ..lm.progress import display
from .self_instruct.instructions import CandidateFilter, prompt_seeds
from .self_instruct.prompt_forms import PromptForm, form_sampling, instruction_message, is_chat
from .session import Plan, journal_path

NUM_PROMPTS = 20
NUM_RESAMPLES = 2000
_USABLE = {KEPT, "too_similar", "near_duplicate"}
"""Verdicts of candidates that the rules let pass; the latter two tell what novelty took."""


@dataclass(frozen=True)
class FormResult:
    """What a form gave, request by request; `failure` says why the model cannot be asked so, then all else is empty."""

    form: PromptForm
    usable: tuple[int, ...] = ()
    accepted: tuple[int, ...] = ()
    usage: Usage = field(default_factory=Usage)
    seconds_per_request: float | None = None
    failure: str = ""

    @property
    def accepted_per_request(self) -> float:
        return sum(self.accepted) / len(self.accepted) if self.accepted else 0.0


@dataclass(frozen=True)
class Prediction:
    """What stage 1 takes at least, if the yield stays as it was in the probe."""

    num_requests: float
    prompt_tokens: float
    completion_tokens: float
    cost: float
    seconds: float | None


def probe(plan: Plan, lm: LM, num_prompts: int = NUM_PROMPTS) -> list[FormResult]:
    """Ask in every form and filter the candidates; results are written to <run_dir>/probe.json too.

    Raises:
        ValueError: no form can be asked at all, or a journal belongs to another configuration.
        BudgetReachedError, UnansweredError: the same command goes on.
    """
    results = [_probe_form(plan, lm, form, num_prompts) for form in get_args(PromptForm)]
    if all(result.failure for result in results):
        raise ValueError("; ".join(f"{r.form}: {r.failure}" for r in results))
    write_json(probe_path(plan.config), {r.form: asdict(r) for r in results})
    return results


def probe_path(config: Config) -> Path:
    """Where the outcome is written."""
    return Path(config.run_dir) / "probe.json"


def probe_requests(plan: Plan, form: PromptForm, num_prompts: int) -> list[tuple[Request, list[Instruction]]]:
    """The requests of a form, each with the seed tasks that it shows: the same ones at the same place in every form."""
    settings, seed = plan.config.generate, plan.config.seed
    pool = [Instruction(t.id, t.instruction, "seed") for t in prompt_seeds(plan.seeds, settings)]
    asked = []
    for i in range(num_prompts):
        rng = random.Random(derive_seed(seed, "probe", i))
        shown = rng.sample(pool, min(settings.num_prompt_instructions, len(pool)))
        prompt = instruction_message([s.text for s in shown], form, settings.classification_seeds_only)
        asked.append((Request(f"probe-{i:02d}", prompt, derive_seed(seed, "probe", i, "sample"), is_chat(form)), shown))
    return asked


def _probe_form(plan: Plan, lm: LM, form: PromptForm, num_prompts: int) -> FormResult:
    settings = dataclasses.replace(plan.config.generate, prompt_form=form)
    sampling = form_sampling(settings.instruction_sampling, form, "instructions")
    asked = probe_requests(plan, form, num_prompts)
    header = {
        "stage": "probe",
        "seed": plan.config.seed,
        "prompt_form": form,
        "prompts_sha256": text_sha256(*(request.prompt for request, _ in asked)),
        "sampling": asdict(sampling),
        "lm": lm.name,
    }
    budget = plan.config.budget
    price = budget.prices.get(plan.config.model.path, FREE)
    with Journal.open(journal_path(plan.run_dir, f"probe-{form}"), header) as journal:
        meter = Meter(budget, price, spent_before(plan.config, [journal]))
        try:
            with display(f"probe, {form}", "requests", len(asked), meter) as live:
                answers = journal.complete(
                    MeteredLM(lm, meter), [request for request, _ in asked], sampling, lambda new: live.add(len(new))
                )
        except (BudgetReachedError, UnansweredError):
            raise
        except ValueError as error:
            return FormResult(form, failure=str(error))
    candidates = CandidateFilter(plan.seeds, settings)
    usable, accepted = [], []
    for (_, shown), answer in zip(asked, answers, strict=True):
        before = len(candidates.outcomes), len(candidates.accepted)
        candidates.filter(answer, tuple(s.id for s in shown))
        usable.append(sum(outcome.verdict in _USABLE for outcome in candidates.outcomes[before[0] :]))
        accepted.append(len(candidates.accepted) - before[1])
    pace = meter.seconds / meter.now.num_requests if meter.now.num_requests else _stored_pace(plan, form)
    return FormResult(form, tuple(usable), tuple(accepted), usage_of(answers, price), pace)


def _stored_pace(plan: Plan, form: PromptForm) -> float | None:
    """Seconds a request took when it was asked; None if that was not written down."""
    path = probe_path(plan.config)
    if not path.is_file():
        return None
    stored = json.loads(path.read_text(encoding="utf-8")).get(form, {}).get("seconds_per_request")
    return None if stored is None else float(stored)


def accepted_interval(result: FormResult, seed: int) -> tuple[float, float]:
    """Return the 95 % interval of the accepted instructions a request, in which requests count as clusters.

    What a request can give is taken to lie between 0 and the most usable candidates that any request gave.
    """
    import numpy as np

    most = max(1, *result.usable)
    percent = 100 * np.array(result.accepted, dtype=np.float64)[:, None] / most
    names = [str(number) for number in range(len(percent))]
    rng = np.random.default_rng(derive_seed(seed, "probe", "bootstrap"))
    found = mean_intervals(percent, names, rng, NUM_RESAMPLES)[0]
    return most * found.low / 100, most * found.high / 100


def best_form(results: Sequence[FormResult]) -> FormResult | None:
    """The form that gives most accepted instructions a request, the plainer of equals; None if none gave any."""
    best = max(results, key=lambda result: result.accepted_per_request)
    return best if best.accepted_per_request else None


def predict(result: FormResult, num_instructions: int) -> Prediction:
    """Extrapolate stage 1 from the probe's yield, which a run does not exceed."""
    number = num_instructions / result.accepted_per_request
    each = number / result.usage.num_requests
    pace = result.seconds_per_request
    return Prediction(
        number,
        result.usage.prompt_tokens * each,
        result.usage.completion_tokens * each,
        result.usage.cost * each,
        None if pace is None else pace * number,
    )


def probe_table(results: Sequence[FormResult], seed: int) -> str:
    """A line for each form; usable: passed the rules; new: of these, also unlike seeds and each other."""
    names = ("form", "requests", "usable", "new", "accepted a request", "tokens each", "s/request")
    lines = ["{:<10}{:>9}{:>8}{:>6}{:>24}{:>13}{:>11}".format(*names)]
    for r in results:
        if r.failure:
            lines.append(f"{r.form:<10}cannot be asked: {r.failure}")
            continue
        number, usable, accepted = len(r.usable), sum(r.usable), sum(r.accepted)
        low, high = accepted_interval(r, seed)
        novelty = f"{accepted / usable:.0%}" if usable else "-"
        yielded = f"{r.accepted_per_request:.2f} [{low:.2f}, {high:.2f}]"
        tokens = f"{r.usage.tokens / accepted:,.0f}" if accepted else "-"
        pace = "-" if r.seconds_per_request is None else f"{r.seconds_per_request:.2f}"
        lines.append(f"{r.form:<10}{number:>9}{usable:>8}{novelty:>6}{yielded:>24}{tokens:>13}{pace:>11}")
    return "\n".join(lines)


def advice(results: Sequence[FormResult], num_instructions: int, seed: int, budget: BudgetConfig) -> str:
    """Name the best form, what others may be as good, and what the run takes with it."""
    best = best_form(results)
    if best is None:
        return (
            "no form gave a usable new instruction; look into journal/probe-*.jsonl, and try a larger model, another "
            "temperature or more tokens (generate.instruction_sampling)"
        )
    low, high = accepted_interval(best, seed)
    equals = [r.form for r in results if r is not best and r.accepted and accepted_interval(r, seed)[1] >= low]
    p = predict(best, num_instructions)
    cost = f", {money(p.cost)} {budget.currency}" if p.cost else ""
    time = "an unknown time" if p.seconds is None else duration(p.seconds)
    fewest, most = num_instructions / high, num_instructions / low if low else float("inf")
    lines = [
        f"best: {best.form}"
        + (f" ({len(best.accepted)} prompts do not tell it from {' and '.join(equals)})" if equals else ""),
        f"{num_instructions:,} instructions take at least {p.num_requests:,.0f} requests of stage 1 (by the interval "
        f"{fewest:,.0f} to {most:,.0f}), {compact(p.prompt_tokens)} tokens in, {compact(p.completion_tokens)} out"
        f"{cost}, {time}",
        f"at least: the more instructions there are, the fewer are new; stages 2 and 3 add {2 * num_instructions:,} "
        "requests, which `selfinstruct forecast` estimates",
        "generate:",
        f"  prompt_form: {best.form}",
    ]
    return "\n".join(lines)
