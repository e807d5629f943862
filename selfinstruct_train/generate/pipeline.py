"""The generation half of a run: four stages from seed tasks to a dataset.

`prepare` reads and checks everything that can be checked without a model, `generate` does the work. All that a model
answers goes through a journal; every other file is derived from seeds, settings and journals, and written anew.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..config import Config
from ..core.builtin import resolve
from ..core.journal import Journal
from ..core.names import STAGES
from ..core.progress import shown
from ..core.records import BudgetReachedError, Completion, EvaluationExample, Instruction
from ..lm.base import LM
from ..lm.budget import is_budgeted, money, num_prompt_bytes
from ..lm.progress import Spending, display
from .forecast import forecast, forecast_from, forecast_table
from .gate import gate
from .near_duplicates import check_near_duplicates
from .outputs import Generated, write_ledger, write_outputs
from .seeds import read_seed_tasks
from .self_instruct.classify import ClassificationOutcome, classification_request, classify
from .self_instruct.instances import InstanceOutcome, generate_instances, instance_requests
from .self_instruct.instructions import InstructionStage, generate_instructions, prompt_seeds
from .self_instruct.journals import journal_header, open_session
from .self_instruct.prompt_forms import form_sampling
from .self_instruct.prompts import read_templates
from .session import Plan, Session, journal_path

__all__ = ["Generated", "Plan", "estimate_run", "generate", "prepare", "read_plan"]

logger = logging.getLogger(__name__)


def prepare(config: Config) -> Plan:
    """Read seed tasks and templates, and check the run directory.

    Raises:
        ValueError: a file is absent or broken; the run directory cannot be written, or belongs to another
            configuration.
    """
    plan = read_plan(config)
    check_writable(plan.run_dir)
    for stage in STAGES:
        Journal.check(journal_path(plan.run_dir, stage), journal_header(plan, stage))
    return plan


def read_plan(config: Config) -> Plan:
    """Read seed tasks and templates, as `prepare`, whatever configuration the run directory belongs to."""
    seeds = read_seed_tasks(resolve(config.generate.seed_tasks, "seed_tasks"))
    prompt_seeds(seeds, config.generate)
    check_near_duplicates(config.generate.near_duplicates)
    templates = read_templates(resolve(config.generate.templates, "templates"))
    return Plan(config, seeds, templates, Path(config.run_dir))


def generate(plan: Plan, lm: LM, evaluation_data: Iterable[EvaluationExample] = ()) -> Generated:
    """Run the four stages; what a journal holds already is not asked again.

    Args:
        evaluation_data: evaluation data that no row may overlap, see `generate.contamination`.

    Raises:
        BudgetReachedError: the next request might pass a limit; the journals hold all answers so far.
        ValueError: a journal belongs to another configuration, or another process is using the run.
        OSError: the disk is full.
    """
    with open_session(plan, lm) as session:
        stage1 = _instructions(session)
        write_ledger(plan.run_dir, "instructions", stage1.outcomes)
        if not stage1.accepted:
            logger.warning("no instruction was accepted: the dataset will hold the seed tasks alone; see candidates/")
        labels = _classification(session, stage1.accepted)
        write_ledger(plan.run_dir, "classification", labels)
        outcomes = _instances(session, stage1.accepted, labels)
        settings = plan.config.generate.contamination
        outcomes, contamination = gate(plan.seeds, stage1.accepted, outcomes, evaluation_data, settings)
        return write_outputs(plan.run_dir, plan.seeds, stage1, labels, outcomes, contamination)


def estimate_run(plan: Plan, lm: LM) -> str:
    """Ask the few requests that a forecast needs, through the run's journals, and return the forecast as a table."""
    with open_session(plan, lm) as session:
        with shown("forecast", source=Spending(session.meter)):
            estimated = forecast(session)
        if estimated is None:
            return "no forecast: not one candidate of the first requests was accepted"
        return forecast_table(estimated, plan.config.budget)


def _instructions(session: Session) -> InstructionStage:
    """Stage 1; on the way, once its journal is replayed, the forecast where one is wanted."""
    plan, settings, journal = session.plan, session.plan.settings, session.journals["instructions"]
    is_forecast_due = plan.config.budget.forecast or is_budgeted(plan.config.budget)
    stage = InstructionStage([], [], 0)
    with display("instructions", "accepted", settings.num_instructions, session.meter) as live:

        def report(so_far: InstructionStage) -> None:
            nonlocal stage, is_forecast_due
            _keep_back(session, so_far.accepted[len(stage.accepted) :])
            stage = so_far
            num_accepted = len(stage.accepted)
            live.update(num_accepted, f"{num_accepted / max(1, len(stage.outcomes)):.0%} of candidates accepted")
            # all that the journal held is filtered, and there is more to ask: now a forecast knows the most, at no cost
            if is_forecast_due and stage.accepted and len(journal) <= stage.num_requests:
                is_forecast_due = False
                if num_accepted < settings.num_instructions:
                    _log_forecast(session, stage)

        def done() -> str:
            num = len(stage.accepted)
            finish = f" (--generate.num_instructions {num} finishes these within the limit)" if num else ""
            return f"{num:,} of {settings.num_instructions:,} instructions are accepted{finish}"

        with _saying(done):
            final = generate_instructions(session, report)
    session.meter.release()
    return final


def _classification(session: Session, accepted: list[Instruction]) -> list[ClassificationOutcome]:
    num_done = 0
    with display("classification", "instructions", len(accepted), session.meter) as live:

        def progress(answers: Sequence[Completion]) -> None:
            nonlocal num_done
            num_done += len(answers)
            live.update(num_done)

        with _saying(lambda: f"{len(accepted):,} instructions are complete, {num_done:,} of them classified"):
            return classify(session, accepted, progress)


def _instances(
    session: Session, accepted: list[Instruction], labels: list[ClassificationOutcome]
) -> list[InstanceOutcome]:
    num_done = num_kept = 0
    with display("instances", "instructions", len(accepted), session.meter) as live:

        def report(num_answered: int, num_new: int) -> None:
            nonlocal num_done, num_kept
            num_done, num_kept = num_done + num_answered, num_kept + num_new
            live.update(num_done, _instance_figures(session, num_kept))

        with _saying(lambda: f"{len(accepted):,} instructions are classified, {num_done:,} of them have instances"):
            return generate_instances(session, accepted, [label.is_classification for label in labels], report)


def _instance_figures(session: Session, num_kept: int) -> str:
    cost = session.meter.spent.cost
    each = f", {money(cost / num_kept)} {session.plan.config.budget.currency} each" if cost and num_kept else ""
    return f"{num_kept:,} instances kept{each}"


def _keep_back(session: Session, new: list[Instruction]) -> None:
    """Let stage 1 leave enough of the budget for the classes and instances that it accepted and that are still open."""
    plan, config = session.plan, session.plan.config
    if config.budget.max_cost is None and config.budget.max_tokens is None:
        return
    settings = plan.settings
    sampling = form_sampling(settings.classification_sampling, settings.prompt_form, "classification")
    num_bytes = num_tokens = 0
    for instruction in new:
        request = classification_request(plan, instruction)
        if request.id not in session.journals["classification"]:
            num_bytes += num_prompt_bytes(request)
            num_tokens += sampling.max_new_tokens
        either = [instance_requests(plan, [instruction], [label])[0] for label in (True, False)]
        if not any(request.id in session.journals["instances"] for request in either):
            num_bytes += max(map(num_prompt_bytes, either))
            num_tokens += settings.instance_sampling.max_new_tokens
    session.meter.keep_back(num_bytes, num_tokens)


def _log_forecast(session: Session, stage: InstructionStage) -> None:
    asked = session.meter.now.num_requests
    pace = session.meter.seconds / asked if asked else None
    estimated = forecast_from(session, stage, pace)
    if estimated is not None:
        logger.info("%s", forecast_table(estimated, session.plan.config.budget))


@contextmanager
def _saying(done: Callable[[], str]) -> Iterator[None]:
    """Add to a limit's message what is done."""
    try:
        yield
    except BudgetReachedError as error:
        raise BudgetReachedError(error.said, error.limit, done()) from None


def check_writable(run_dir: Path) -> None:
    try:
        for folder in (run_dir, run_dir / "journal"):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"x")
    except OSError as error:
        raise ValueError(f"run_dir {run_dir} cannot be written: {error.strerror}; choose another run_dir") from error
