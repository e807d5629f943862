"""An experiment beside its run: the answers it takes over, and what its evaluation says about its arms.

Answers are facts: what the run asked of the same weights with the same settings is copied, not asked again. Scores,
intervals and comparisons are read from the experiment's eval/scores.json; nothing is computed again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfinstruct_train.config import Config
from selfinstruct_train.core.journal import read_header
from selfinstruct_train.core.names import BASE, ROUGE_L, SET_TITLES
from selfinstruct_train.core.storage import write_atomically

from .predict import find_systems, journal_of

METRIC = ROUGE_L
EXPERIMENTS = ("scale", "distill", "baselines")


@dataclass(frozen=True)
class Difference:
    """An arm's score minus the reference arm's, on the same examples; `verdict` is of the arm.

    Interval and `minimum_detectable` are of this pair alone, `p` and `verdict` corrected for all pairs of the set.
    """

    value: float
    low: float
    high: float
    p: float
    minimum_detectable: float
    verdict: str


@dataclass(frozen=True)
class ArmScore:
    """ROUGE-L of an arm with its 95 % interval; `difference` is None of the reference arm itself."""

    name: str
    value: float
    low: float
    high: float
    difference: Difference | None


@dataclass(frozen=True)
class SetScores:
    """The arms on one set of examples, in order, and the base model beside them."""

    name: str
    num_examples: int
    num_tasks: int
    base: ArmScore
    arms: tuple[ArmScore, ...]


def title_of(run_dir: str | Path) -> str:
    """Return what a page calls a run directory: its name, and of an experiment the run's name before it."""
    root = Path(run_dir).resolve()
    return f"{root.parent.name} / {root.name}" if root.name in EXPERIMENTS else root.name


def adopt_answers(run: Config, experiment: Config) -> list[Path]:
    """Copy the run's evaluation journals of the base, and of every model that the experiment names too.

    A journal that is there already stays, and one of other settings or by another backend is left alone. Only the
    system's name in the header changes: the same model has another name in the experiment.
    """
    copied = []
    # no server is asked by the evaluation: see evaluate.py
    loader = "vllm" if experiment.model.backend == "vllm" else "transformers"
    for system in find_systems(experiment):
        for known in find_systems(run):
            source, expected = journal_of(known, run)
            target, header = journal_of(system, experiment)
            if known.path != system.path or target.exists() or not source.is_file():
                continue
            try:
                stored = read_header(source)
            except ValueError:
                continue
            if {k: v for k, v in stored.items() if k not in ("format", "lm")} != json.loads(json.dumps(expected)):
                continue
            if loader not in str(stored["lm"]).rpartition("@")[2].split():
                continue
            rows = source.read_bytes().partition(b"\n")[2]
            named = json.dumps({**stored, "system": header["system"]}, ensure_ascii=False)
            copied.append(write_atomically(target, named.encode() + b"\n" + rows))
    return copied


def read_arm_scores(run_dir: str | Path, arms: Sequence[str], reference: str) -> list[SetScores]:
    """Read the scores of the arms, and of the base, on every set that was asked.

    Raises:
        ValueError: the experiment was not evaluated, or not with these arms.
    """
    path = Path(run_dir) / "eval" / "scores.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return [_set_scores(scored, arms, reference) for scored in content]
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file; give the experiment's command again") from None
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: not the scores of this experiment ({error!r}); delete it, and repeat the command"
        ) from (error)


def arms_table(scores: SetScores, sizes: Mapping[str, tuple[int, int]], reference: str) -> str:
    """Lay out a set's scores as plain text, a line an arm.

    Args:
        sizes: number of instructions and of instances of each arm.
    """
    width = max(len(name) for name in (*sizes, BASE))
    title = SET_TITLES.get(scores.name, scores.name).lower()
    lines = [f"{title}: ROUGE-L of {scores.num_examples:,} examples of {scores.num_tasks:,} tasks, 95 % intervals"]
    lines.append(f"{'':{width}}  instructions  instances  ROUGE-L{'':14}  against {reference}")
    for arm in (scores.base, *scores.arms):
        instructions, instances = (f"{n:,}" for n in sizes[arm.name]) if arm.name in sizes else ("", "")
        score = f"{arm.value:5.1f} [{arm.low:.1f}, {arm.high:.1f}]"
        d = arm.difference
        against = f"{d.value:+z5.1f} [{d.low:+z.1f}, {d.high:+z.1f}]  {d.verdict}" if d else ""
        lines.append(f"{arm.name:{width}}  {instructions:>12}  {instances:>9}  {score:<21}  {against}".rstrip())
    return "\n".join(lines)


def _set_scores(scored: Mapping[str, Any], arms: Sequence[str], reference: str) -> SetScores:
    overall = {
        row["system"]: row
        for row in scored["scores"]
        if row["kind"] == "overall" and row["metric"] == METRIC and not row["against"]
    }
    differences: dict[str, Difference] = {}
    for row in scored["comparisons"]:
        if row["metric"] == METRIC and reference in (row["system"], row["against"]):
            mirrored = row["system"] == reference
            differences[row["against" if mirrored else "system"]] = _difference(row, mirrored)
    of = {
        name: ArmScore(
            name,
            overall[name]["value"],
            overall[name]["low"],
            overall[name]["high"],
            None if name == reference else differences[name],
        )
        for name in (BASE, *arms)
    }
    return SetScores(
        scored["set"], scored["num_examples"], scored["num_tasks"], of[BASE], tuple(of[name] for name in arms)
    )


def _difference(row: Mapping[str, Any], mirrored: bool) -> Difference:
    """Read a comparison; where the arm stands on its second place, seen from the other side."""
    value, low, high, verdict = row["value"], row["low"], row["high"], row["verdict"]
    if mirrored:
        value, low, high = -value, -high, -low
        verdict = {"better": "worse", "worse": "better"}.get(verdict, verdict)
    return Difference(value, low, high, row["p_adjusted"], row["minimum_detectable"], verdict)
