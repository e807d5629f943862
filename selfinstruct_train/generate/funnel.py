"""What became of every candidate of a stage, counted: the funnel of the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ..core.names import KEPT


@dataclass(frozen=True)
class StageCounts:
    """One stage: how many requests, how many candidates they gave, how many candidates got each verdict."""

    num_requests: int
    num_candidates: int
    verdicts: dict[str, int]

    @property
    def acceptance_rate(self) -> float:
        """The share of candidates kept, in [0, 1]."""
        return self.verdicts.get(KEPT, 0) / self.num_candidates if self.num_candidates else 0.0


Funnel = dict[str, StageCounts]
"""The stages instructions, classification and instances, in this order."""


def count_verdicts(num_requests: int, verdicts: Iterable[str]) -> StageCounts:
    """Count; "kept" stands first, the others by falling number."""
    counts = Counter(verdicts)
    ordered = sorted(counts.items(), key=lambda item: (item[0] != KEPT, -item[1], item[0]))
    return StageCounts(num_requests, counts.total(), dict(ordered))


def funnel_to_json(funnel: Funnel) -> dict[str, Any]:
    """The content of funnel.json."""
    return {stage: asdict(counts) for stage, counts in funnel.items()}


def funnel_from_json(content: dict[str, Any]) -> Funnel:
    """Read what `funnel_to_json` gave."""
    return {stage: StageCounts(**counts) for stage, counts in content.items()}


def comparison_table(before: Funnel, after: Funnel) -> str:
    """A table of two funnels side by side."""
    lines = [f"{'stage':<16}{'verdict':<24}{'before':>8}{'after':>8}"]
    for stage, counts in after.items():
        old = before[stage].verdicts if stage in before else {}
        for verdict in [*counts.verdicts, *(v for v in old if v not in counts.verdicts)]:
            lines.append(f"{stage:<16}{verdict:<24}{old.get(verdict, 0):>8}{counts.verdicts.get(verdict, 0):>8}")
    return "\n".join(lines)


def funnel_table(funnel: Funnel) -> str:
    """A table for the log: a line for each verdict of each stage."""
    lines = [f"{'stage':<16}{'verdict':<24}{'count':>8}{'share':>8}"]
    for stage, counts in funnel.items():
        for verdict, count in counts.verdicts.items():
            lines.append(f"{stage:<16}{verdict:<24}{count:>8}{count / counts.num_candidates:>8.1%}")
        lines.append(f"{stage:<16}{'all':<24}{counts.num_candidates:>8}  from {counts.num_requests} requests")
    return "\n".join(lines)
