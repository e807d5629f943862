"""From the outcomes of all candidates to the files of a run: dataset, ledger, funnel, statistics.

The ledger is <folder>/candidates/<stage>.jsonl: every candidate with its request, its text and what became of it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..core.names import STAGES, Stage
from ..core.records import Instruction, Row, SeedTask
from ..core.storage import write_json, write_jsonl
from .contamination import Overlap
from .dataset import dataset_rows, write_dataset
from .funnel import Funnel, count_verdicts, funnel_table, funnel_to_json
from .gate import Contamination
from .self_instruct.classify import ClassificationOutcome
from .self_instruct.instances import InstanceOutcome
from .self_instruct.instructions import InstructionOutcome, InstructionStage
from .statistics import Statistics, statistics

logger = logging.getLogger(__name__)

Outcome = InstructionOutcome | ClassificationOutcome | InstanceOutcome


@dataclass(frozen=True)
class Generated:
    """What a generation run gave; `files` are the files it wrote, the dataset first."""

    instructions: list[Instruction]
    rows: list[Row]
    funnel: Funnel
    statistics: dict[str, Statistics]
    files: list[Path]


def write_ledger(folder: Path, stage: Stage, outcomes: Sequence[Outcome]) -> None:
    """Write the candidates of a stage, which is complete."""
    write_jsonl(folder / f"candidates/{stage}.jsonl", (_record(outcome) for outcome in outcomes))


def _record(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, InstanceOutcome) and isinstance(outcome.overlap, Overlap):
        return {**vars(outcome), "overlap": vars(outcome.overlap)}
    return vars(outcome)


def write_outputs(
    folder: Path,
    seeds: Sequence[SeedTask],
    stage1: InstructionStage,
    labels: Sequence[ClassificationOutcome],
    outcomes: Sequence[InstanceOutcome],
    contamination: Contamination,
) -> Generated:
    """Write the instances' ledger, dataset, contamination, funnel and statistics into `folder`, and log the funnel.

    Args:
        labels: of instructions of stage 1, in their order; one without a label has no instances either.
    """
    write_ledger(folder, "instances", outcomes)
    write_json(folder / "contamination.json", asdict(contamination))
    funnel = {
        "instructions": count_verdicts(stage1.num_requests, (outcome.verdict for outcome in stage1.outcomes)),
        "classification": count_verdicts(len(labels), (outcome.verdict for outcome in labels)),
        "instances": count_verdicts(
            len({outcome.request_id for outcome in outcomes}), (outcome.verdict for outcome in outcomes)
        ),
    }
    is_classification = {outcome.instruction_id: outcome.is_classification for outcome in labels}
    labelled = [i for i in stage1.accepted if i.id in is_classification]
    rows = dataset_rows(seeds, labelled, [is_classification[i.id] for i in labelled], outcomes)
    counted = {
        "generated": statistics([row for row in rows if row.source == "generated"]),
        "seed": statistics([row for row in rows if row.source == "seed"]),
    }
    write_dataset(folder / "dataset/train.parquet", rows)
    write_json(folder / "funnel.json", funnel_to_json(funnel))
    write_json(folder / "statistics.json", {source: asdict(figures) for source, figures in counted.items()})
    logger.info("what became of every candidate:\n%s", funnel_table(funnel))
    files = [
        *(folder / name for name in ("dataset/train.parquet", "funnel.json", "statistics.json", "contamination.json")),
        *(folder / f"candidates/{stage}.jsonl" for stage in STAGES),
    ]
    return Generated(stage1.accepted, rows, funnel, counted, files)
