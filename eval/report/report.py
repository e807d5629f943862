"""Write a run's report: report.html, one self-contained file that opens from disk, the same as report.md, and the data
of both as report.json.

Scores come from `Evaluation`s, everything else from the run's folder; what is absent is not shown. Examples are drawn
at random from the run's seed, not picked. Layout and words live in data/report.html.j2 and data/report.md.j2; model
output is untrusted text and is escaped in all of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from selfinstruct_train.config import Config
from selfinstruct_train.core.names import KEPT, METRIC_TITLES, SET_TITLES, STAGE_TITLES, STAGES
from selfinstruct_train.core.paper_numbers import FINETUNING_USD, GENERATION_USD, REVIEW, STATISTICS
from selfinstruct_train.core.row_files import COLUMNS
from selfinstruct_train.core.storage import write_json, write_text

from ..evaluate import evaluate_sets, rouge_tokenizer
from ..experiment import title_of
from ..people.rubric import LEVELS
from ..predict import read_answers
from ..scores import Evaluation, to_json
from ..tasks import load_sets
from .costs import read_costs
from .judged import read_judge, read_people
from .looks import make_looks
from .loss_plot import plot_losses
from .run_facts import read_run_facts
from .samples import draw_samples, embed
from .templates import render
from .views import set_view, subject_of

FORMAT = 1
_VERSIONS = (
    *("selfinstruct-train", "torch", "transformers", "trl"),
    *("rouge-score", "numpy", "scipy", "scikit-learn", "krippendorff"),
)


def write_report(config: Config, evaluations: Sequence[Evaluation]) -> tuple[Path, ...]:
    """Write <run_dir>/report.html, report.md and report.json; return their paths.

    Args:
        evaluations: at least one; the first is the headline's.

    Raises:
        ValueError: a file of the run's folder that the report shows is broken.
    """
    facts = _facts(config, evaluations)
    context = facts | _layout(facts, evaluations)
    run_dir = Path(config.run_dir)
    return (
        write_text(run_dir / "report.html", render("report.html.j2", context)),
        write_text(run_dir / "report.md", render("report.md.j2", context)),
        write_json(run_dir / "report.json", _as_json(facts, evaluations)),
    )


def rewrite_report(config: Config) -> tuple[Path, ...]:
    """Write the report again from the files that `selfinstruct eval` left, asking no model, and return the paths.

    Raises:
        ValueError: the run is not evaluated, a file is broken or of other examples, or ROUGE had other words then.
    """
    _check_tokenizer(config)
    sets = load_sets(config.eval)
    answers = {name: read_answers(config, sets, name) for name in sets}
    return write_report(config, evaluate_sets(config, sets, answers, rouge_tokenizer(config)))


def _check_tokenizer(config: Config) -> None:
    """Refuse to score answers by other words than scores.json tells of: the report would contradict it."""
    path, now = Path(config.run_dir) / "eval" / "scores.json", config.eval.rouge_tokenizer
    if not path.is_file():
        return
    try:
        then = [scored.get("rouge_tokenizer", now) for scored in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: not as `selfinstruct eval` writes it ({error!r}); give that again") from None
    if other := [tokenizer for tokenizer in then if tokenizer != now]:
        raise ValueError(
            f"{path}: scored with eval.rouge_tokenizer {other[0] or 'null'}, which is {now or 'null'} now; set it "
            "back, or give `selfinstruct eval` again, which asks nothing twice"
        )


def _facts(config: Config, evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """Everything that the report tells, before it is laid out."""
    facts = read_run_facts(config.run_dir, config.seed)
    scored = {e.name: e.fingerprints for e in evaluations}
    return {
        "run": title_of(config.run_dir),
        "config": asdict(config),
        "versions": [(name, v) for name in _VERSIONS if (v := _version(name))],
        "judge": read_judge(config.run_dir, scored),
        "people": read_people(config.run_dir, scored),
        "samples": draw_samples(evaluations, config.seed),
        "funnel": facts.funnel,
        "statistics": [
            (key, label, facts.statistics[key], paper) for key, label, paper in STATISTICS if key in facts.statistics
        ],
        "reviews": facts.reviews,
        "rows": facts.rows,
        "losses": facts.losses,
        "validation": facts.validation,
        "verified": facts.verified,
        "seconds": facts.seconds,
        "costs": read_costs(config),
    }


def _layout(facts: dict[str, Any], evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """What the templates need beyond the facts: looks, and tables and curves in percent of their plots."""
    look = make_looks({name: kind for e in evaluations for name, kind in e.kinds.items()})
    sets = [set_view(e, look, subject_of(e)) for e in evaluations]
    names = list(dict.fromkeys(s for view in sets for s in view["shown"]))
    return {
        "look": look,
        "metrics": METRIC_TITLES,
        "sets": sets,
        "first": sets[0],
        "funnel": _funnel_view(facts["funnel"]),
        "questions": REVIEW,
        "curves": plot_losses(facts["losses"]),
        "titles": SET_TITLES,
        "levels": LEVELS,
        "paper": {"generation": GENERATION_USD, "finetuning": FINETUNING_USD},
        "embedded": embed(facts["samples"], sets, names, look),
    }


def _as_json(facts: dict[str, Any], evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """The report's data; docs/report.md says what each key holds."""
    sets = []
    for evaluation, samples in zip(evaluations, facts["samples"], strict=True):
        sets.append(
            {
                **to_json(evaluation),
                "kinds": evaluation.kinds,
                "categories": {e.task: e.category for e in evaluation.examples},
                "samples": [asdict(sample) for sample in samples],
            }
        )
    statistics = {key: {"value": value, "paper": paper} for key, _, value, paper in facts["statistics"]}
    as_data = {key: {name: asdict(value) for name, value in facts[key].items()} for key in ("validation", "verified")}
    return {
        "format": FORMAT,
        **{key: facts[key] for key in ("run", "config", "judge", "people", "funnel", "losses", "seconds")},
        "versions": dict(facts["versions"]),
        "sets": sets,
        "statistics": statistics,
        "reviews": [asdict(review) for review in facts["reviews"]],
        "rows": [{column: getattr(row, column) for column in COLUMNS} for row in facts["rows"]],
        **as_data,
        "costs": asdict(facts["costs"]) if facts["costs"] else None,
    }


def _funnel_view(funnel: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    stages = []
    for stage in [s for s in STAGES if s in funnel]:
        total = sum(funnel[stage].values())
        reasons = sorted(funnel[stage].items(), key=lambda item: (item[0] != KEPT, -item[1], item[0]))
        rows = [(reason, count, 100 * count / total if total else 0.0, reason == KEPT) for reason, count in reasons]
        stages.append({"title": STAGE_TITLES[stage], "total": total, "rows": rows})
    return stages


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
