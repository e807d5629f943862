"""A run's evaluation as the Hub reads it (`model-index`) and as a table: every score with its interval and n.

Reads what recipes/evaluate.py wrote and computes nothing anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..builtin import PREFIX
from ..dataset.table import as_markdown

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

METRICS = {
    "rougeL": ("rouge", "ROUGE-L"),
    "rouge1": ("rouge", "ROUGE-1"),
    "exact_match": ("exact_match", "Exact match"),
}
"""Name in scores.json to the Hub's metric and its name for people."""
SETS = {"tasks": "Held-out tasks", "user_oriented": "User-oriented tasks"}
BASE, BASE_CUT = "base", "base, cut"

ScoreSet = Mapping[str, Any]


def eval_results(sets: Sequence[ScoreSet], system: str) -> list[EvalResult]:
    """Return the overall scores of one system for the head of its card; the interval stands in the metric's args."""
    from huggingface_hub import EvalResult

    return [
        EvalResult(
            task_type="text-generation",
            task_name="Instruction following, zero-shot",
            dataset_type=_identifier(scored),
            dataset_name=set_name(scored),
            dataset_args={"num_examples": scored["num_examples"], "num_tasks": scored["num_tasks"]},
            metric_type=METRICS[row["metric"]][0],
            metric_name=METRICS[row["metric"]][1],
            metric_value=round(row["value"], 2),
            metric_args={"interval_95": [round(row["low"], 2), round(row["high"], 2)], "n": row["n"]},
        )
        for scored in sets
        for row in _overall(scored, system, None)
    ]


def evaluation_table(scored: ScoreSet, system: str) -> str:
    """Return base, tuned and gain of one set as Markdown, with 95 % intervals."""
    lines: list[tuple[str, str, str | None]]
    lines = [("base model", BASE, None), ("base model, cut at its first blank line", BASE_CUT, None)]
    lines += [("**this model**", system, None), ("**gain over the base**", system, BASE)]
    lines += [("gain over the base, cut", system, BASE_CUT)]
    cells: list[tuple[str, ...]] = [("", *(name for _, name in METRICS.values()), "n")]
    for label, name, against in lines:
        rows = {row["metric"]: row for row in _overall(scored, name, against)}
        if rows:
            figures = (_figure(rows[metric], against is not None) if metric in rows else "" for metric in METRICS)
            cells.append((label, *figures, f"{next(iter(rows.values()))['n']:,}"))
    return as_markdown(cells)


def gain(scored: ScoreSet, system: str) -> Mapping[str, Any] | None:
    """Return the ROUGE-L lead over the base, as it stands in scores.json."""
    return next((row for row in _overall(scored, system, BASE) if row["metric"] == "rougeL"), None)


def set_name(scored: ScoreSet) -> str:
    """Return what a set is called, with its source: a built-in name, or the last part of its path."""
    source = str(scored.get("source", ""))
    shown = source if source.startswith(PREFIX) else source.rstrip("/\\").replace("\\", "/").split("/")[-1]
    name = SETS.get(scored["set"], str(scored["set"]))
    return f"{name} ({shown})" if shown else name


def _identifier(scored: ScoreSet) -> str:
    """The Hub wants an identifier of a dataset; ours are files, so it is a name that collides with no dataset's."""
    return f"self-instruct-{scored['set']}".replace("_", "-")


def _overall(scored: ScoreSet, system: str, against: str | None) -> list[Mapping[str, Any]]:
    return [
        row
        for row in scored["scores"]
        if row["kind"] == "overall" and row["system"] == system and row["against"] == against
        if row["metric"] in METRICS
    ]


def _figure(row: Mapping[str, Any], signed: bool) -> str:
    form = "+.1f" if signed else ".1f"
    return f"{row['value']:{form}} [{row['low']:{form}}, {row['high']:{form}}]"
