"""An evaluation as the tables and sentences that the pages show; nothing is measured here.

The subject is the system that stands for the run: the last one trained, else the last of the further models. Pairs that
it is part of are told from its side and stand first; whether a difference is more than chance is for `comparisons` to
say, with its corrected p-value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from selfinstruct_train.core.names import BASE, BASE_CUT, METRICS, ROUGE_L, SEEDS, SET_TITLES, USER_ORIENTED
from selfinstruct_train.core.records import Score

from ..comparisons import Comparison, Verdict
from ..metrics import CATEGORY_METRICS
from ..scores import Evaluation
from .looks import Look
from .templates import p_value, signed

_ENOUGH = 20  # with fewer tasks an interval may hold the truth in 86 % of cases only (docs/evaluation.md)
_OPPOSITE: dict[Verdict, Verdict] = {"better": "worse", "worse": "better"}

Looks = Callable[[str], Look]
_Key = tuple[str, str, str, str, str]  # system, against, kind, group, metric


def set_view(evaluation: Evaluation, look: Looks, subject: str | None) -> dict[str, Any]:
    """Arrange one set: its tables overall, by distance, category and task, its comparisons, and what they say."""
    scores = {(s.system, s.against, s.kind, s.score.group, s.score.metric): s.score for s in evaluation.scores}
    groups = dict.fromkeys((s.kind, s.score.group, s.num_tasks) for s in evaluation.scores)

    def tables(kind: str) -> list[dict[str, Any]]:
        return [_table(evaluation, scores, subject, k, group, n) for k, group, n in groups if k == kind]

    categories = tables("category")
    by_size = evaluation.name == USER_ORIENTED  # its applications are many and small: their gains are no ranking
    compared = _oriented(evaluation, subject)
    title = SET_TITLES.get(evaluation.name, evaluation.name)
    return {
        "name": evaluation.name,
        "title": title,
        "source": evaluation.source,
        "num_tasks": len({e.task for e in evaluation.examples}),
        "num_examples": len(evaluation.examples),
        "systems": list(evaluation.predictions),
        "shown": [s for s in evaluation.predictions if s != BASE_CUT],
        "subject": subject,
        "published": any(kind == "published" for kind in evaluation.kinds.values()),
        "overall": tables("overall")[0],
        "distances": sorted(tables("distance"), key=lambda t: t["group"], reverse=True),
        "categories": sorted(categories, key=_by_size if by_size else _by_gain) if len(categories) > 1 else [],
        "tasks": sorted(tables("task"), key=_by_gain),
        "stopping": _stopping(scores, subject),
        "headline": headline(compared, subject, title, look) if subject else [],
        "comparisons": on_one_axis([c for c in compared if c["system"] == subject]),
        "other_comparisons": on_one_axis([c for c in compared if c["system"] != subject]),
        "num_compared": len(compared),
    }


def subject_of(evaluation: Evaluation) -> str | None:
    """The system that stands for the run; None where there is only the base."""
    others = [s for s in evaluation.predictions if evaluation.kinds[s] == "other"]
    return evaluation.tuned or (others[-1] if others else None)


def headline(compared: Sequence[dict[str, Any]], subject: str, title: str, look: Looks) -> list[str]:
    """Say in words what the comparisons of the subject with the base and with the seeds show, chance not left out."""
    against = {c["against"]: c for c in compared if c["system"] == subject}
    name, where, sentences = look(subject).label, f"on the {title.lower()}", []
    if BASE in against:
        c, base = against[BASE], look(BASE).label.lower()
        p = p_value(c["p_adjusted"])
        size = f"{signed(c['value'])} ROUGE-L points ({signed(c['low'])} to {signed(c['high'])})"
        chance = f"p {p if p.startswith('<') else f'= {p}'}"
        if len(compared) > 1:
            chance += f", corrected for {len(compared)} comparisons"
        if c["verdict"] in _OPPOSITE:
            sentences.append(f"{name} is {c['verdict']} than {base} {where}, {size}: more than chance ({chance}).")
        else:
            sentences.append(
                f"{name} and {base} cannot be told apart {where}: {size} may be chance ({chance}); a true difference "
                f"of {c['minimum_detectable']:.1f} points would show in four of five such evaluations."
            )
    if SEEDS in against and subject != SEEDS:
        c = against[SEEDS]
        told = f"is {c['verdict']} than" if c["verdict"] in _OPPOSITE else f"{c['verdict']} from"
        size = f"{signed(c['value'])} ({signed(c['low'])} to {signed(c['high'])})"
        sentences.append(f"{'It' if sentences else name} {told} tuning on the seed tasks alone, {size}.")
    return sentences


def _table(
    evaluation: Evaluation, scores: dict[_Key, Score], subject: str | None, kind: str, group: str, num_tasks: int
) -> dict[str, Any]:
    """One group of examples: every system's scores, and the subject's lead over the base in the group's metric."""
    systems = list(evaluation.predictions)
    metric = _metric(kind, group)
    compared = [(s, scores[s, "", kind, group, metric]) for s in systems if s != BASE_CUT]
    n = compared[0][1].n
    return {
        "group": group,
        "metric": metric,
        "num_tasks": num_tasks,
        "n": n,
        "enough": (n if num_tasks == 1 else num_tasks) >= _ENOUGH,
        "systems": [(s, {m: scores[s, "", kind, group, m] for m in METRICS}) for s in systems],
        "compared": compared,
        "least": min(score.value for _, score in compared),
        "most": max(score.value for _, score in compared),
        "gain": scores.get((subject or "", BASE, kind, group, metric)),
    }


def _metric(kind: str, group: str) -> str:
    """A category's own metric where Tk-Instruct names one, else ROUGE-L."""
    return CATEGORY_METRICS.get(group, ROUGE_L) if kind == "category" else ROUGE_L


def _by_gain(table: dict[str, Any]) -> tuple[float, str]:
    gain: Score | None = table["gain"]
    return (-gain.value if gain else 0.0, table["group"])


def _by_size(table: dict[str, Any]) -> tuple[int, str]:
    return (-table["n"], table["group"])


def _stopping(scores: dict[_Key, Score], subject: str | None) -> dict[str, Any] | None:
    """Split the subject's lead over the base: what cutting the base's answers alone brings, and the rest."""
    if subject is None or (subject, BASE_CUT, "overall", "all", ROUGE_L) not in scores:
        return None
    total = scores[subject, BASE, "overall", "all", ROUGE_L].value
    ability = scores[subject, BASE_CUT, "overall", "all", ROUGE_L]
    stopping = total - ability.value
    return {
        "total": total,
        "stopping": stopping,
        "ability": ability.value,
        "interval": ability,
        "is_split": total > 0 and stopping >= 0 and ability.value >= 0,
        "sentence": f"Of the {signed(total)} points over the base, {signed(stopping)} come from cutting the base's "
        f"answers at their first blank line. Over the base so cut the lead is {signed(ability.value)} "
        f"({signed(ability.low)} to {signed(ability.high)}).",
    }


def _oriented(evaluation: Evaluation, subject: str | None) -> list[dict[str, Any]]:
    """The comparisons by ROUGE-L as plain data, the subject's from its side, in the order of the systems."""
    order = {system: number for number, system in enumerate(evaluation.predictions)}
    found = []
    for c in evaluation.comparisons:
        if c.metric != ROUGE_L:
            continue
        found.append(asdict(_turned(c) if c.against == subject else c))
    return sorted(found, key=lambda c: (c["system"] != subject, order[c["system"]], order[c["against"]]))


def _turned(c: Comparison) -> Comparison:
    """The same comparison from the other side."""
    verdict = _OPPOSITE.get(c.verdict, c.verdict)
    return replace(c, system=c.against, against=c.system, value=-c.value, low=-c.high, high=-c.low, verdict=verdict)


def on_one_axis(compared: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add where on a common axis, in percent of its width, zero, the difference and its interval stand."""
    if not compared:
        return []
    least = min(0.0, *(c["low"] for c in compared))
    most = max(1.0, *(c["high"] for c in compared))
    left, width = least - 0.03 * (most - least), 1.06 * (most - least)

    def position(value: float) -> float:
        return 100 * (value - left) / width

    return [
        {**c, "at": {"zero": position(0.0), **{key: position(c[key]) for key in ("value", "low", "high")}}}
        for c in compared
    ]
