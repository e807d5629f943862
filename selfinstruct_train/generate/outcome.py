"""From the fates of all candidates to the files of a run: dataset, ledger, funnel, statistics.

The ledger is <folder>/candidates/<stage>.jsonl: every candidate with its request, its text and what became of it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..storage import write_json, write_jsonl
from ..types import Instruction, SeedTask
from .classify import ClassificationFate
from .contamination import Overlap
from .dataset import Row, dataset_rows, write_dataset
from .funnel import Funnel, count_verdicts, funnel_table, funnel_to_json
from .gate import Contamination
from .instances import InstanceFate
from .instructions import InstructionFate, InstructionStage
from .session import STAGES
from .statistics import Statistics, statistics

logger = logging.getLogger(__name__)

Fate = InstructionFate | ClassificationFate | InstanceFate


@dataclass(frozen=True)
class Generated:
    """What a generation run gave; `files` are the files it wrote, the dataset first."""

    instructions: list[Instruction]
    rows: list[Row]
    funnel: Funnel
    statistics: dict[str, Statistics]
    files: list[Path]


def write_ledger(folder: Path, stage: str, fates: Sequence[Fate]) -> None:
    """Write the candidates of a stage, which is complete."""
    write_jsonl(folder / f"candidates/{stage}.jsonl", (_record(fate) for fate in fates))


def _record(fate: Fate) -> dict[str, Any]:
    if isinstance(fate, InstanceFate) and isinstance(fate.overlap, Overlap):
        return {**vars(fate), "overlap": vars(fate.overlap)}
    return vars(fate)


def conclude(
    folder: Path,
    seeds: Sequence[SeedTask],
    stage1: InstructionStage,
    labels: Sequence[ClassificationFate],
    fates: Sequence[InstanceFate],
    contamination: Contamination,
) -> Generated:
    """Write the instances' ledger, dataset, contamination, funnel and statistics into `folder`, and log the funnel.

    Args:
        labels: of instructions of stage 1, in their order; one without a label has no instances either.
    """
    write_ledger(folder, "instances", fates)
    write_json(folder / "contamination.json", asdict(contamination))
    funnel = {
        "instructions": count_verdicts(stage1.num_requests, (fate.verdict for fate in stage1.fates)),
        "classification": count_verdicts(len(labels), (fate.verdict for fate in labels)),
        "instances": count_verdicts(len({fate.request_id for fate in fates}), (fate.verdict for fate in fates)),
    }
    is_classification = {fate.instruction_id: fate.is_classification for fate in labels}
    labelled = [i for i in stage1.accepted if i.id in is_classification]
    rows = dataset_rows(seeds, labelled, [is_classification[i.id] for i in labelled], fates)
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
