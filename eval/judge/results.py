"""What `selfinstruct judge` leaves: <run_dir>/eval/judge.json with every figure, judgments.jsonl with every verdict.

It lays out the figures as a table too. Both files are made anew from the verdicts each time; nothing is asked here.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfinstruct_train.config import Config
from selfinstruct_train.core.seeding import derive_seed
from selfinstruct_train.core.stats import CONFIDENCE
from selfinstruct_train.core.storage import write_json, write_jsonl

from ..comparisons import NOT_TOLD_APART, Comparison, compare_graded, holm
from ..people.ratings import final_grades
from ..people.results import comparison_lines, shown_agreement
from ..people.rubric import ACCEPTABLE, GRADES
from .calibration import calibrate
from .judging import TEMPLATES, Judged, JudgePlan, template_sha256
from .verdicts import bias, rate, win_rates

if TYPE_CHECKING:
    import numpy as np

_MANY_UNREADABLE = 5.0
"""Percent of a system's: what a judge cannot say may be just the hard cases."""


def summarise(plan: JudgePlan, judged: Judged) -> dict[str, Any]:
    """Return all figures as plain data, as judge.json holds them."""
    config, settings = plan.config, plan.config.judge
    samples = config.eval.bootstrap_samples
    rating = {name: rate(rows, _rng(config, "rating"), samples) for name, rows in judged.gradings.items()}
    pairs = {name: win_rates(rows, _rng(config, "pairwise"), samples) for name, rows in judged.pairs.items()}
    _settle(pairs)
    everyone = [pair for rows in judged.pairs.values() for pair in rows]
    biases = bias(everyone, _rng(config, "bias"), samples)
    biases["warnings"] += _other_warnings(plan, judged)
    people = final_grades(config.run_dir, settings.set, plan.examples, plan.answers)
    return {
        "lm": judged.lm,
        "judge": {
            "path": settings.model.path,
            "revision": settings.model.revision,
            "backend": settings.model.backend,
            "chat": settings.chat,
            "sampling": asdict(settings.sampling),
        },
        "set": settings.set,
        "prompt_sha256": {kind: template_sha256(kind, settings.chat) for kind in TEMPLATES},
        "prompts": {kind: template(settings.chat) for kind, template in TEMPLATES.items()},
        "num_examples": len(plan.examples),
        "answers": plan.fingerprints,
        "rating": rating,
        "pairwise": {"against": settings.against, "systems": pairs},
        "bias": biases,
        "comparisons": [asdict(c) for c in _compare_grades(plan, judged)],
        "calibration": calibrate(
            _grades_of_texts(plan, judged),
            people,
            {e.id: e.task for e in plan.examples},
            derive_seed(config.seed, "judge", "calibration"),
            samples,
        ),
    }


def write_results(plan: JudgePlan, judged: Judged, figures: dict[str, Any]) -> list[Path]:
    """Write judge.json and the ledger; return their paths."""
    folder = Path(plan.config.run_dir) / "eval"
    graded = ({"kind": "rating", **asdict(g)} for rows in judged.gradings.values() for g in rows)
    against = plan.config.judge.against
    compared = (
        {"kind": "pairwise", "against": against, "outcome": pair.outcome, **asdict(pair)}
        for rows in judged.pairs.values()
        for pair in rows
    )
    return [write_json(folder / "judge.json", figures), write_jsonl(folder / "judgments.jsonl", (*graded, *compared))]


def table(figures: dict[str, Any]) -> str:
    """Return the figures as text for the terminal."""
    against, pairs = figures["pairwise"]["against"], figures["pairwise"]["systems"]
    width = max(len(f"against {against}"), *(len(name) for name in figures["rating"])) + 2
    lines = [f"{'grades':<{width}}{''.join(f'{g:>6}' for g in GRADES)}{'unread':>8}   acceptable (A or B)"]
    for name, row in figures["rating"].items():
        counts = "".join(f"{row[grade]:>6}" for grade in GRADES)
        lines.append(f"{name:<{width}}{counts}{row['unreadable']:>8}   {_shown(row['acceptable'])}")
    if pairs:
        heads = "".join(f"{name:>8}" for name in ("wins", "losses", "ties", "flips", "unread"))
        lines += ["", f"{'against ' + against:<{width}}{heads}   win rate (ties half)    at equal length"]
    for name, row in pairs.items():
        counts = "".join(f"{row[key]:>8}" for key in ("wins", "losses", "ties", "flips", "unreadable"))
        controlled = _shown(row["length_controlled"]) if row["length_controlled"] else f"- {row['length_note'] or ''}"
        lines.append(f"{name:<{width}}{counts}   {_shown(row['win_rate']):<24}{controlled}")
        lines.append(
            f"{'':<{width}}{row['verdict']}" + ("" if row["verdict"] == NOT_TOLD_APART else f" than {against}")
        )
    lines += ["", *comparison_lines(figures["comparisons"])] if figures["comparisons"] else []
    lines += ["", *_bias_lines(figures["bias"]), *_calibration_lines(figures["calibration"])]
    return "\n".join(line.rstrip() for line in lines)


def _grades_of_texts(plan: JudgePlan, judged: Judged) -> dict[tuple[str, str], str | None]:
    """Return the grade of each text, by example and the first system that answered so; an equal one adds nothing."""
    first: dict[tuple[str, str], str] = {}
    for name, answers in plan.answers.items():
        for example, answer in zip(plan.examples, answers, strict=True):
            first.setdefault((example.id, answer.strip()), name)
    owners = {(id, name) for (id, _), name in first.items()}
    graded = (g for rows in judged.gradings.values() for g in rows)
    return {(g.example_id, g.system): g.grade for g in graded if (g.example_id, g.system) in owners}


def _compare_grades(plan: JudgePlan, judged: Judged) -> tuple[Comparison, ...]:
    """Tell for each pair of systems which has more answers that the judge finds acceptable."""
    config = plan.config
    values = {
        name: {g.example_id: 100.0 * (g.grade in ACCEPTABLE) for g in rows if g.grade}
        for name, rows in judged.gradings.items()
    }
    tasks = {e.id: e.task for e in plan.examples}
    return compare_graded(values, tasks, "acceptable", lambda: _rng(config, "grades"), config.eval.bootstrap_samples)


def _settle(pairs: dict[str, dict[str, Any]]) -> None:
    """Say of each system whether it is better than the other, its p-value raised for the number of systems (Holm)."""
    asked = {name: row for name, row in pairs.items() if row["p"] is not None}
    adjusted = dict(zip(asked, holm([row["p"] for row in asked.values()]), strict=True))
    for name, row in pairs.items():
        row["p_adjusted"] = adjusted.get(name)
        is_clear = name in adjusted and adjusted[name] < 1 - CONFIDENCE
        row["verdict"] = NOT_TOLD_APART if not is_clear else "better" if row["win_rate"]["value"] > 50 else "worse"


def _other_warnings(plan: JudgePlan, judged: Judged) -> list[str]:
    warnings = []
    grades = [g.grade for rows in judged.gradings.values() for g in rows]
    if len(grades) > 1 and len(set(grades)) == 1:
        warnings.append(f"this judge gave the grade {grades[0]} to every answer: its grades tell nothing")
    unread = {
        "grades": {name: [g.grade is None for g in rows] for name, rows in judged.gradings.items()},
        "pairs": {
            n: [pair.outcome == "unreadable" for pair in rows if pair.replies] for n, rows in judged.pairs.items()
        },
    }
    for what, by_system in unread.items():
        shares = {name: 100 * sum(those) / len(those) for name, those in by_system.items() if those}
        many = [f"{share:.0f} % of {name}" for name, share in shares.items() if share >= _MANY_UNREADABLE]
        if many:
            warnings.append(f"{what} that could not be read: {', '.join(many)}; the figures tell of the rest alone")
    if plan.config.judge.model.path == plan.config.model.path:
        warnings.append("the judge is the run's base model: models prefer what they would write themselves")
    return warnings


def _bias_lines(biases: dict[str, Any]) -> list[str]:
    names = {
        "first": "verdicts for the answer shown first",
        "longer": "verdicts for the longer answer",
        "consistency": "pairs with one verdict in both orders",
    }
    lines = [f"{text:<40}{_shown(biases[key])}" for key, text in names.items()]
    return lines + [f"warning: {text}" for text in biases["warnings"]]


def _calibration_lines(calibration: dict[str, Any] | None) -> list[str]:
    if calibration is None:
        return [
            "people have not graded these answers (`selfinstruct annotate`): whether the judge agrees with them is not "
            "known"
        ]
    parts = ", ".join(
        f"{name} {shown_agreement(calibration[key], calibration['intervals'][key])}"
        for key, name in (
            ("kappa", "kappa"),
            ("weighted_kappa", "weighted"),
            ("acceptable_kappa", "acceptable or not"),
            ("spearman", "Spearman"),
        )
    )
    lines = [f"agreement with people on {calibration['n']} answers: {parts}"]
    return lines + ([f"warning: {calibration['note']}"] if calibration["note"] else [])


def _shown(figure: dict[str, Any] | None) -> str:
    return "-" if figure is None else f"{figure['value']:5.1f} [{figure['low']:.1f}, {figure['high']:.1f}]"


def _rng(config: Config, *what: str) -> np.random.Generator:
    """The same generator for every system: equal verdicts then have equal intervals."""
    import numpy as np

    return np.random.default_rng(derive_seed(config.seed, "judge", "bootstrap", *what))
