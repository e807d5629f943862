"""The three journals of a run: their headers, and opening them together.

The journals belong together: all stay open while any of them is used, so that their lock covers the derived files too.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any

from ...core.journal import Journal
from ...core.names import STAGES, Stage
from ...core.storage import text_sha256
from ...lm.base import LM
from ...lm.budget import FREE, Meter, MeteredLM, spent_before
from ..session import Plan, Session, journal_path
from .instances import instance_sampling


@contextmanager
def open_session(plan: Plan, lm: LM) -> Iterator[Session]:
    """Open the journals of a run and count what they hold.

    Raises:
        ValueError: a journal belongs to another configuration or model, or another process is using the run.
    """
    with _rare_garbage_collections(), ExitStack() as stack:
        journals = {
            stage: stack.enter_context(
                Journal.open(journal_path(plan.run_dir, stage), {**journal_header(plan, stage), "lm": lm.name})
            )
            for stage in STAGES
        }
        budget = plan.config.budget
        price = budget.prices.get(plan.config.model.path, FREE)
        meter = Meter(budget, price, spent_before(plan.config, list(journals.values())))
        yield Session(plan, MeteredLM(lm, meter), meter, journals)


def journal_header(plan: Plan, stage: Stage) -> dict[str, Any]:
    """What the requests and answers of a stage depend on, but for the model's name.

    Not here: how long the run goes on (num_instructions, max_requests), which a later run may raise.
    """
    settings = plan.settings
    header: dict[str, Any] = {"stage": stage, "seed": plan.config.seed, "prompt_form": settings.prompt_form}
    if stage == "instructions":
        seeds = (f"{t.id}\n{t.is_classification}\n{t.instruction}" for t in plan.seeds)
        return header | {
            "method": settings.method,
            "seed_tasks_sha256": text_sha256(*seeds),
            "num_prompt_instructions": settings.num_prompt_instructions,
            "max_machine_instructions": settings.max_machine_instructions,
            "requests_per_round": settings.requests_per_round,
            "rouge_l_threshold": settings.rouge_l_threshold,
            "language": settings.language,
            "near_duplicates": asdict(settings.near_duplicates),
            "classification_seeds_only": settings.classification_seeds_only,
            "sampling": asdict(settings.instruction_sampling),
        }
    if stage == "classification":
        return header | {
            "template_sha256": text_sha256(plan.templates.classification),
            "sampling": asdict(settings.classification_sampling),
        }
    return header | {
        "method": settings.method,  # it decides token limits and what answer of stage 2 counts as a yes
        "max_instances": settings.max_instances,
        "templates_sha256": text_sha256(plan.templates.input_first, plan.templates.output_first),
        "sampling": asdict(instance_sampling(settings)),
    }


@contextmanager
def _rare_garbage_collections() -> Iterator[None]:
    """Let Python look for cycles less often: a run makes records by the million, none of them in a cycle.

    Replaying 50,000 instructions takes 15 % less time so.
    """
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
