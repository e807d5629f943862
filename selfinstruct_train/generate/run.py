"""The generation half of a run: four stages from seed tasks to a dataset.

`prepare` reads and checks everything that can be checked without a model, `generate` does the work. All that a model
answers goes through a journal; every other file is derived from seeds, settings and journals, and written anew.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..builtin import resolve
from ..config import Config
from ..journal import Journal, Progress
from ..lm.base import LM
from ..storage import write_json, write_jsonl
from ..types import Instruction, SeedTask
from .classify import classify
from .dataset import Row, dataset_rows, write_dataset
from .funnel import Funnel, count_verdicts, funnel_table, funnel_to_json
from .instances import generate_instances, instance_sampling
from .instructions import InstructionStage, generate_instructions, prompt_seeds
from .prompts import Templates, read_templates, sha256_of
from .seeds import read_seed_tasks
from .statistics import Statistics, statistics

logger = logging.getLogger(__name__)

STAGES = ("instructions", "classification", "instances")


@dataclass(frozen=True)
class Plan:
    """A checked generation run: what stands fixed before a model is loaded."""

    config: Config
    seeds: list[SeedTask]
    templates: Templates
    run_dir: Path


@dataclass(frozen=True)
class Generated:
    """What a generation run gave; `files` are the files it wrote, the dataset first."""

    instructions: list[Instruction]
    rows: list[Row]
    funnel: Funnel
    statistics: dict[str, Statistics]
    files: list[Path]


def prepare(config: Config) -> Plan:
    """Read seed tasks and templates, and check the run directory.

    Raises:
        ValueError: a file is absent or broken; the run directory cannot be written, or belongs to another
            configuration.
    """
    seeds = read_seed_tasks(resolve(config.generate.seed_tasks, "seed_tasks"))
    prompt_seeds(seeds, config.generate)
    templates = read_templates(resolve(config.generate.templates, "templates"))
    plan = Plan(config, seeds, templates, Path(config.run_dir))
    _check_writable(plan.run_dir)
    for stage in STAGES:
        Journal.check(_journal_path(plan, stage), _header(plan, stage))
    return plan


def generate(plan: Plan, lm: LM) -> Generated:
    """Run the four stages; what a journal holds already is not asked again.

    Raises:
        ValueError: a journal belongs to another configuration, or another process is using the run.
        OSError: the disk is full.
    """
    settings, seed = plan.config.generate, plan.config.seed
    with ExitStack() as stack:
        # all three stay open, so that the lock covers the derived files too
        instructions_journal, classification_journal, instances_journal = (
            stack.enter_context(Journal.open(_journal_path(plan, stage), {**_header(plan, stage), "lm": lm.name}))
            for stage in STAGES
        )
        with _instructions_bar(settings.num_instructions) as report:
            stage1 = generate_instructions(plan.seeds, lm, instructions_journal, settings, seed, report)
        write_jsonl(plan.run_dir / "candidates/instructions.jsonl", (asdict(fate) for fate in stage1.fates))
        if not stage1.accepted:
            logger.warning("no instruction was accepted: the dataset will hold the seed tasks alone; see candidates/")
        accepted = stage1.accepted
        with _requests_bar("classification", len(accepted)) as progress:
            labels = classify(accepted, plan.templates, lm, classification_journal, settings, seed, progress)
        write_jsonl(plan.run_dir / "candidates/classification.jsonl", (asdict(fate) for fate in labels))
        is_classification = [fate.is_classification for fate in labels]
        with _requests_bar("instances", len(accepted)) as progress:
            fates = generate_instances(
                accepted, is_classification, plan.templates, lm, instances_journal, settings, seed, progress
            )
        write_jsonl(plan.run_dir / "candidates/instances.jsonl", (asdict(fate) for fate in fates))
        funnel = {
            "instructions": count_verdicts(stage1.num_requests, (fate.verdict for fate in stage1.fates)),
            "classification": count_verdicts(len(labels), (fate.verdict for fate in labels)),
            "instances": count_verdicts(len(accepted), (fate.verdict for fate in fates)),
        }
        rows = dataset_rows(plan.seeds, accepted, is_classification, fates)
        return _write(plan, accepted, rows, funnel)


def _write(plan: Plan, accepted: list[Instruction], rows: list[Row], funnel: Funnel) -> Generated:
    """Write dataset, funnel and statistics, and log the table."""
    counted = {
        "generated": statistics([row for row in rows if row.source == "generated"]),
        "seed": statistics([row for row in rows if row.source == "seed"]),
    }
    write_dataset(plan.run_dir / "dataset/train.parquet", rows)
    write_json(plan.run_dir / "funnel.json", funnel_to_json(funnel))
    write_json(plan.run_dir / "statistics.json", {source: asdict(figures) for source, figures in counted.items()})
    logger.info("what became of every candidate:\n%s", funnel_table(funnel))
    files = [
        *(plan.run_dir / name for name in ("dataset/train.parquet", "funnel.json", "statistics.json")),
        *(plan.run_dir / f"candidates/{stage}.jsonl" for stage in STAGES),
    ]
    return Generated(accepted, rows, funnel, counted, files)


def _journal_path(plan: Plan, stage: str) -> Path:
    return plan.run_dir / "journal" / f"{stage}.jsonl"


def _header(plan: Plan, stage: str) -> dict[str, Any]:
    """What the requests and answers of a stage depend on, but for the model's name.

    Not here: how long the run goes on (num_instructions, max_requests), which a later run may raise.
    """
    settings = plan.config.generate
    header: dict[str, Any] = {"stage": stage, "seed": plan.config.seed}
    if stage == "instructions":
        seeds = (f"{t.id}\n{t.is_classification}\n{t.instruction}" for t in plan.seeds)
        return header | {
            "method": settings.method,
            "seed_tasks_sha256": sha256_of(*seeds),
            "num_prompt_instructions": settings.num_prompt_instructions,
            "max_machine_instructions": settings.max_machine_instructions,
            "requests_per_round": settings.requests_per_round,
            "rouge_l_threshold": settings.rouge_l_threshold,
            "classification_seeds_only": settings.classification_seeds_only,
            "sampling": asdict(settings.instruction_sampling),
        }
    if stage == "classification":
        return header | {
            "template_sha256": sha256_of(plan.templates.classification),
            "sampling": asdict(settings.classification_sampling),
        }
    return header | {
        "method": settings.method,  # it decides token limits and what answer of stage 2 counts as a yes
        "templates_sha256": sha256_of(plan.templates.input_first, plan.templates.output_first),
        "sampling": asdict(instance_sampling(settings)),
    }


def _check_writable(run_dir: Path) -> None:
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=run_dir) as file:
            file.write(b"x")
    except OSError as error:
        raise ValueError(f"run_dir {run_dir} cannot be written: {error.strerror}; choose another run_dir") from error


@contextmanager
def _instructions_bar(num_instructions: int) -> Iterator[Any]:
    """A bar of accepted instructions, with requests and acceptance rate beside."""
    from tqdm import tqdm

    with tqdm(total=num_instructions, desc="instructions", unit="accepted") as bar:

        def report(stage: InstructionStage) -> None:
            num_judged = max(1, len(stage.fates))
            bar.set_postfix(
                requests=stage.num_requests, acceptance=f"{len(stage.accepted) / num_judged:.0%}", refresh=False
            )
            bar.update(len(stage.accepted) - bar.n)

        yield report


@contextmanager
def _requests_bar(stage: str, num_requests: int) -> Iterator[Progress]:
    from tqdm import tqdm

    with tqdm(total=num_requests, desc=stage, unit="request") as bar:

        def progress(num_answered: int) -> None:
            bar.update(num_answered)

        yield progress
