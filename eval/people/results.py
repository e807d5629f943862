"""What came of the rating: <run_dir>/eval/people.json, or of reviewed data <run_dir>/review.json, and lines to print.

A pure function of the raters' files and of what is rated now; grades of texts that are no longer there are counted and
left out. Raters' agreement is measured on cells, so an answer that two systems share counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from selfinstruct_train.config import Config
from selfinstruct_train.core.paper_numbers import AGREEMENT, REVIEW
from selfinstruct_train.core.seeding import derive_seed
from selfinstruct_train.core.stats import mean_intervals, wilson_interval
from selfinstruct_train.core.storage import read_object, sha256_of, write_json

from ..comparisons import Comparison, compare_graded
from .agreement import Scale, agreement_intervals, measure_agreement
from .items import DATA, NO, YES, Cell, Item, Work
from .ratings import ADJUDICATED, COMMENT, REFERENCES_SHOWN, Field, agreed, read_values
from .rubric import ACCEPTABLE, ALL, GRADES, QUESTIONS

REVIEWER = "people"
"""How `reviewer` begins in a review that people made."""


@dataclass(frozen=True)
class Choices:
    """Of one cell, what each rater chose; `decision` is the adjudicated choice."""

    item: Item
    cell: Cell
    by_rater: dict[str, str]
    decision: str | None

    @property
    def final(self) -> str | None:
        """The choice that stands; None where nobody chose."""
        everyone = self.by_rater | ({ADJUDICATED: self.decision} if self.decision else {})
        options = GRADES if self.cell.systems else (YES, NO)
        return agreed(everyone, options) if everyone else None


def collect(work: Work, values: Mapping[str, Mapping[Field, str]]) -> list[Choices]:
    """Lay the choices beside the cells they are about, in the order of the items."""
    people = {rater: of_rater for rater, of_rater in values.items() if rater != ADJUDICATED}
    decided = values.get(ADJUDICATED, {})
    return [
        Choices(
            item,
            cell,
            {rater: of_rater[cell.about] for rater, of_rater in people.items() if cell.about in of_rater},
            decided.get(cell.about),
        )
        for item in work.items
        for cell in item.cells
    ]


def is_disputed(choices: Choices, work: Work) -> bool:
    """Whether someone must decide: raters two levels or more apart, or apart on acceptable or not."""
    levels = sorted(work.options.index(choice) for choice in choices.by_rater.values())
    return bool(levels) and (levels[-1] - levels[0] > 1 or levels[0] < _num_acceptable(work) <= levels[-1])


def write_results(config: Config, work: Work) -> tuple[Path | None, list[str]]:
    """Compute and write the results; return the file (None: nobody has rated what is there) and the lines to print."""
    values = read_values(config.run_dir, work.set)
    choices = collect(work, values)
    if all(c.final is None for c in choices):
        return None, [f"nobody has rated yet: {work.set}, {len(work.items)} items"]
    common = _common(work, values, choices)
    agreement = _agreement(config, work, choices)
    if work.set == DATA:
        review = _review(config, choices, common["raters"]) | common | {"agreement": agreement}
        if review["n"] == 0:
            return None, ["nobody has answered all three questions of an instance yet"]
        return write_json(_review_path(Path(config.run_dir)), review), _review_lines(review)
    systems = _systems(config, work, choices)
    people = {
        "set": work.set,
        "answers": {name: work.fingerprints[name] for name in systems},
        "systems": systems,
        "comparisons": [asdict(c) for c in _comparisons(config, work, choices)],
        "agreement": agreement,
        **common,
    }
    return write_json(Path(config.run_dir) / "eval" / "people.json", people), _people_lines(people)


def _num_acceptable(work: Work) -> int:
    return 1 if work.set == DATA else len(ACCEPTABLE)


def _agreement(config: Config, work: Work, choices: list[Choices]) -> dict[str, Any]:
    """The agreement as plain data; "intervals" holds the two ends of each measure."""
    ratings: dict[str, dict[Field, int]] = {}
    for c in choices:
        for rater, choice in c.by_rater.items():
            ratings.setdefault(rater, {})[c.cell.about] = work.options.index(choice)
    scale = Scale(len(work.options), _num_acceptable(work), "nominal" if work.set == DATA else "ordinal")
    tasks = {c.cell.about: c.item.task or c.item.id for c in choices}
    seed, samples = derive_seed(config.seed, "eval", "agreement", work.set), min(config.eval.bootstrap_samples, 300)
    agreement = measure_agreement(dict(sorted(ratings.items())), scale)
    return asdict(agreement) | {"intervals": agreement_intervals(ratings, tasks, scale, seed, samples)}


def _common(work: Work, values: Mapping[str, Mapping[Field, str]], choices: list[Choices]) -> dict[str, Any]:
    """What both kinds of results hold: who rated, what does not count any more, disagreements, remarks."""
    asked = {c.cell.about for c in choices} | {i.note(f) for i in work.items for f in (COMMENT, REFERENCES_SHOWN)}
    ids = {item.id for item in work.items}
    others = [about for of_rater in values.values() for about in of_rater if about not in asked]
    disputed = [c for c in choices if is_disputed(c, work)]
    disputed.sort(key=lambda c: -_spread(c, work))  # stable: equal ones stay in the order of the items
    notes = {
        field: [(i, r, v[i.note(field)]) for i in work.items for r, v in values.items() if i.note(field) in v]
        for field in (COMMENT, REFERENCES_SHOWN)
    }
    return {
        "raters": sorted({rater for c in choices for rater in c.by_rater}),
        "num_items": len({c.item.id for c in choices if c.final is not None}),
        "num_adjudicated": sum(c.decision is not None for c in disputed),
        "num_outdated": sum(about.item in ids for about in others),
        "num_not_asked": sum(about.item not in ids for about in others),
        "num_references_shown": len(notes[REFERENCES_SHOWN]),
        "disagreements": [
            {
                "item": c.item.id,
                "system": " / ".join(c.cell.systems) or None,
                "field": c.cell.about.field,
                "instruction": c.item.instruction,
                "grades": c.by_rater,
                "decision": c.decision,
            }
            for c in disputed
        ],
        "comments": [{"item": item.id, "rater": rater, "text": text} for item, rater, text in notes[COMMENT]],
    }


def _spread(choices: Choices, work: Work) -> int:
    levels = [work.options.index(choice) for choice in choices.by_rater.values()]
    return max(levels) - min(levels)


def _systems(config: Config, work: Work, choices: list[Choices]) -> dict[str, Any]:
    import numpy as np

    rows: dict[str, dict[str, Any]] = {}
    for system in work.systems:
        final = [(c.item.task, c.final) for c in choices if system in c.cell.systems and c.final is not None]
        if not final:
            continue
        rows[system] = {g: sum(grade == g for _, grade in final) for g in GRADES} | {"n": len(final)}
        values = np.array([[100.0 * (grade in ACCEPTABLE)] for _, grade in final])
        rng = np.random.default_rng(derive_seed(config.seed, "eval", "people", work.set, system))
        interval = mean_intervals(values, [task for task, _ in final], rng, config.eval.bootstrap_samples)[0]
        rows[system]["acceptable"] = asdict(interval) | {"n": len(final)}
    return rows


def _comparisons(config: Config, work: Work, choices: list[Choices]) -> tuple[Comparison, ...]:
    """Tell for each pair of systems which has more acceptable answers, on the examples where both were graded."""
    import numpy as np

    values: dict[str, dict[str, float]] = {system: {} for system in work.systems}
    for c in choices:
        if c.final is not None:
            for system in c.cell.systems:
                values[system][c.item.id] = 100.0 * (c.final in ACCEPTABLE)
    seed = derive_seed(config.seed, "eval", "people", work.set, "pairs")
    tasks = {item.id: item.task for item in work.items}
    return compare_graded(
        values, tasks, "acceptable", lambda: np.random.default_rng(seed), config.eval.bootstrap_samples
    )


def comparison_lines(comparisons: Sequence[Mapping[str, Any]]) -> list[str]:
    """Tell of each pair of systems which has more acceptable answers, and whether that is more than chance."""
    lines = ["acceptable answers, paired, in points"]
    for c in comparisons:
        shown = f"{c['value']:+.1f}  ({c['low']:+.1f} to {c['high']:+.1f})"
        lines.append(f"{c['system']} over {c['against']}: {shown}, {c['verdict']}")
    return lines


def shown_agreement(value: float | None, interval: Sequence[float] | None) -> str:
    """Return a measure of agreement with its interval, "-" where there is none."""
    if value is None:
        return "-"
    return f"{value:.2f}" + (f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else "")


def _review(config: Config, choices: list[Choices], raters: list[str]) -> dict[str, Any]:
    """Shares of yes among the instances with all three questions answered, by Wilson's interval."""
    by_item: dict[str, dict[str, bool]] = {}
    for c in choices:
        if c.final is not None:
            by_item.setdefault(c.item.id, {})[c.cell.id] = c.final == YES
    whole = [answers | {ALL: all(answers.values())} for answers in by_item.values() if len(answers) == len(QUESTIONS)]
    percent, interval = {}, {}
    for name in (*(q.field for q in QUESTIONS), ALL):
        hits = sum(answers[name] for answers in whole)
        if whole:
            percent[name] = round(100 * hits / len(whole), 1)
            interval[name] = [round(100 * end, 1) for end in wilson_interval(hits / len(whole), len(whole))]
    return {
        "reviewer": f"{REVIEWER}: {', '.join(raters)}" if raters else REVIEWER,
        "n": len(whole),
        "percent": percent,
        "interval": interval,
        "dataset_sha256": sha256_of(Path(config.run_dir) / "dataset" / "train.parquet"),
    }


def _review_path(run_dir: Path) -> Path:
    """review.json, but where another reviewer (a world that knows its truth) wrote it, review-people.json."""
    path = run_dir / "review.json"
    is_others = path.is_file() and not str(read_object(path).get("reviewer", "")).startswith(REVIEWER)
    return run_dir / "review-people.json" if is_others else path


def _people_lines(people: dict[str, Any]) -> list[str]:
    width = max([len(s) for s in people["systems"]] + [6])
    lines = [f"{'system':<{width}} {''.join(f'{g:>5}' for g in GRADES)}     n  acceptable (A or B)"]
    for system, row in people["systems"].items():
        counts = "".join(f"{row[g]:>5}" for g in GRADES)
        share = row["acceptable"]
        shown = f"{share['value']:5.1f} %  ({share['low']:.1f} to {share['high']:.1f})"
        lines.append(f"{system:<{width}} {counts} {row['n']:>5}  {shown}")
    lines += comparison_lines(people["comparisons"]) if people["comparisons"] else []
    measures = {
        "kappa": "kappa",
        "weighted_kappa": "quadratic-weighted",
        "acceptable_kappa": "acceptable or not",
        "alpha": "alpha",
        "spearman": "Spearman",
    }
    paper = {key: value for key, _, value in AGREEMENT}
    return [*lines, *_agreement_lines(people, measures, paper)]


def _review_lines(review: dict[str, Any]) -> list[str]:
    names = {q.field: q.name for q in QUESTIONS} | {ALL: "All three"}
    lines = [f"{review['n']} instances reviewed"]
    for field, _, paper in REVIEW:
        low, high = review["interval"][field]
        lines.append(
            f"{names[field]:<13} {review['percent'][field]:5.1f} %  ({low:.1f} to {high:.1f}), paper {paper} %"
        )
    return [*lines, *_agreement_lines(review, {"kappa": "kappa", "alpha": "alpha"}, {})]


def _agreement_lines(results: dict[str, Any], measures: dict[str, str], paper: dict[str, float]) -> list[str]:
    """Who rated, the measures of their agreement with the paper's beside them, what is left to decide."""
    agreement = results["agreement"]
    num_double = agreement["num_double"]
    lines = [f"raters: {', '.join(results['raters']) or 'nobody yet'}; {num_double} rated by two or more"]
    if num_double:
        shown = []
        for key, name in measures.items():
            theirs = f" (paper {paper[key]})" if key in paper else ""
            shown.append(f"{name} {shown_agreement(agreement[key], agreement['intervals'][key])}{theirs}")
        lines.append(f"agreement: {', '.join(shown)}")
    if results["disagreements"]:
        still_open = len(results["disagreements"]) - results["num_adjudicated"]
        lines.append(f"disagreements to adjudicate: {still_open} of {len(results['disagreements'])}")
    if results["num_outdated"]:
        lines.append(f"{results['num_outdated']} choices are about texts that changed since or are left out now")
    return lines
