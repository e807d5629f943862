"""Compare finished runs on one page: compared.html, the same as compared.md, and the data of both as compared.json.

Scores, intervals and paired differences are computed again from the answers on the examples that all runs share; what
they cost, what their data are and how they learnt is read from each run's report.json. No model is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from selfinstruct_train.config import RENAMED
from selfinstruct_train.core.names import METRIC_TITLES, SEEDS_AND_GENERATED
from selfinstruct_train.core.paper_numbers import FINETUNING_USD, GENERATION_USD, STATISTICS
from selfinstruct_train.core.storage import write_json, write_text

from ..examples import ExampleSet
from ..metrics import Tokenize, load_tokenizer
from ..people.rubric import LEVELS
from ..predict import Kind
from ..scores import Evaluation, evaluate_predictions, to_json
from .looks import make_looks
from .loss_plot import plot_losses
from .report import FORMAT, KEPT
from .runs import Common, Run, common_sets, read_runs
from .samples import Sample, draw_samples, embed
from .templates import render, shorten, signed
from .views import Looks, on_one_axis, set_view

_LABELS: dict[str, str] = {SEEDS_AND_GENERATED: "seeds + generated"}
_NOT_COMPARED = ("run_dir",)  # differs between any two runs
_MAX_SETTING = 120


@dataclass(frozen=True)
class _Compared:
    """An evaluation over several runs; `subjects` are the systems that stand for their runs."""

    evaluation: Evaluation
    subjects: tuple[str, ...]


def compare_runs(folders: Sequence[str], out: str) -> tuple[Path, ...]:
    """Write <out>/compared.html, compared.md and compared.json; return their paths.

    Raises:
        ValueError: a folder is no finished run, one is named twice, or they share no example.
    """
    runs = read_runs(folders)
    commons, notes = common_sets(runs)
    labels = {_name(run.name, s): f"{run.name}: {_LABELS.get(s, s)}" for run in runs for s in run.kinds}
    tokenize = _tokenizer(runs)
    compared = [_evaluate(common, runs, tokenize) for common in commons]
    kinds = {system: kind for one in compared for system, kind in one.evaluation.kinds.items()}
    look = make_looks(kinds, labels)
    evaluations = [one.evaluation for one in compared]
    samples = draw_samples(evaluations, runs[0].report["config"]["seed"])
    facts = {
        "runs": [run.name for run in runs],
        "notes": notes,
        "settings": differing_settings({run.name: run.report["config"] for run in runs}),
        "judged": [one for who in ("judge", "people") if (one := _judged(who, runs))],
        "funnel": _funnel(runs),
        "statistics": _statistics(runs),
        "costs": [(run.name, run.report["costs"], run.report["seconds"]) for run in runs],
        "losses": {_name(run.name, m): points for run in runs for m, points in run.report["losses"].items()},
    }
    context = facts | _layout(facts, samples, compared, look)
    context["rouge_tokenizer"] = runs[0].report["config"]["eval"]["rouge_tokenizer"]
    data = {
        "format": FORMAT,
        **facts,
        "folders": {run.name: str(run.folder) for run in runs},
        "samples": [[asdict(sample) for sample in part] for part in samples],
        "sets": [to_json(evaluation) for evaluation in evaluations],
    }
    return (
        write_text(Path(out) / "compared.html", render("compare.html.j2", context)),
        write_text(Path(out) / "compared.md", render("compare.md.j2", context)),
        write_json(Path(out) / "compared.json", data),
    )


def differing_settings(configs: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the settings in which runs differ, each with every run's value as text, "not set" where it has none."""
    flat = {run: _flat(config) for run, config in configs.items()}
    keys = dict.fromkeys(key for settings in flat.values() for key in settings)
    rows = []
    for key in keys:
        values = [str(settings.get(key, "not set")) for settings in flat.values()]
        if key not in _NOT_COMPARED and len(set(values)) > 1:
            rows.append({"setting": key, "values": [shorten(value, _MAX_SETTING) for value in values]})
    return rows


def _flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            settings |= _flat(value, f"{prefix}{key}.")
        else:
            settings[RENAMED.get(f"{prefix}{key}", f"{prefix}{key}")] = value  # as an older version named it
    return settings


def _name(run: str, system: str) -> str:
    return f"{run}: {system}" if run else system


def _tokenizer(runs: Sequence[Run]) -> Tokenize | None:
    """Return what all runs cut texts with for ROUGE; None: rouge_score's own words."""
    names = {run.name: run.report["config"]["eval"]["rouge_tokenizer"] for run in runs}
    if len(set(names.values())) > 1:
        told = ", ".join(f"{run} {name or 'none'}" for run, name in names.items())
        raise ValueError(f"eval.rouge_tokenizer differs ({told}); evaluate the runs with the same one")
    name = next(iter(names.values()))
    return load_tokenizer(name) if name else None


def _evaluate(common: Common, runs: Sequence[Run], tokenize: Tokenize | None) -> _Compared:
    """Score the shared examples; a run's last trained system stands for it, else its last further model."""
    of_run = {run.name: run.kinds for run in runs}
    kinds: dict[str, Kind] = {}
    for owner, system in common.answers:
        kinds[_name(owner, system)] = of_run[owner][system] if owner else "base"
    config = runs[0].report["config"]
    evaluation = evaluate_predictions(
        ExampleSet(common.name, ", ".join(str(run.folder) for run in runs), common.examples),
        {_name(*system): texts for system, texts in common.answers.items()},
        config["seed"],
        config["eval"]["bootstrap_samples"],
        kinds,
        tokenize,
    )
    subjects = []
    for run in runs:
        names = [system for name, system in common.answers if name == run.name]
        trained = [s for s in names if run.kinds[s] == "trained"] or [s for s in names if run.kinds[s] == "other"]
        subjects += [_name(run.name, s) for s in trained[-1:]]
    return _Compared(evaluation, tuple(subjects))


def _layout(
    facts: dict[str, Any], samples: Sequence[Sequence[Sample]], compared: Sequence[_Compared], look: Looks
) -> dict[str, Any]:
    sets = [_set_view(one, look) for one in compared]
    systems = list(dict.fromkeys(s for view in sets for s in view["shown"]))
    return {
        "look": look,
        "metrics": METRIC_TITLES,
        "levels": LEVELS,
        "sets": sets,
        "samples": samples,
        "curves": plot_losses(facts["losses"]),
        "paper": {"generation": GENERATION_USD, "finetuning": FINETUNING_USD},
        "embedded": embed(samples, sets, systems, look),
    }


def _set_view(one: _Compared, look: Looks) -> dict[str, Any]:
    """A set's tables, and before all other pairs those of the systems that stand for their runs."""
    view = set_view(one.evaluation, look, None)
    rows = view["other_comparisons"]
    between = [row for row in rows if row["system"] in one.subjects and row["against"] in one.subjects]
    return view | {
        "subject": one.subjects[-1] if one.subjects else None,
        "comparisons": on_one_axis(between),
        "other_comparisons": on_one_axis([row for row in rows if row not in between]),
        "headline": [_sentence(row, one.evaluation, look) for row in between],
    }


def _sentence(row: dict[str, Any], evaluation: Evaluation, look: Looks) -> str:
    one, other = look(row["system"]).label, look(row["against"]).label
    size = f"{signed(row['value'])} ROUGE-L points ({signed(row['low'])} to {signed(row['high'])})"
    if (evaluation.metrics[row["system"]] == evaluation.metrics[row["against"]]).all():
        return f"{one} and {other} score alike on every example."
    if row["verdict"] in ("better", "worse"):
        return f"{one} is {row['verdict']} than {other}, {size}: more than chance."
    return f"{one} and {other} cannot be told apart: {size} may be chance."


def _judged(who: str, runs: Sequence[Run]) -> dict[str, Any] | None:
    """The grades of a judge or of people, run by run, and what keeps them from being compared; None without any."""
    have = {run.name: run.report[who] for run in runs if run.report[who]}
    if not have:
        return None
    notes = [f"{run.name} has no such grades." for run in runs if run.name not in have]
    differ = {"judge": ("set", "lm", "prompts"), "people": ("set", "raters")}[who]
    names = {"set": "tasks", "lm": "judges", "prompts": "prompts of the judge", "raters": "raters"}
    other = [names[key] for key in differ if any(one[key] != next(iter(have.values()))[key] for one in have.values())]
    if other:
        notes.append(f"Not to be compared: the runs were graded with different {' and '.join(other)}.")
    notes += [
        f"{run}: these grades are of other answers than those compared above: {', '.join(one['outdated'])}."
        for run, one in have.items()
        if one["outdated"]
    ]
    by = {run: one["lm"] if who == "judge" else ", ".join(one["raters"]) for run, one in have.items()}
    rows = [grades | {"system": _name(run, grades["system"])} for run, one in have.items() for grades in one["grades"]]
    return {"who": who, "by": list(dict.fromkeys(by.values())), "grades": rows, "notes": notes}


def _funnel(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Of each stage of the generation and each run: how many candidates were kept, and how many there were."""
    stages = dict.fromkeys(stage for run in runs for stage in run.report["funnel"])
    verdicts = {stage: [run.report["funnel"].get(stage) for run in runs] for stage in stages}
    return [
        {"stage": stage, "values": [(one.get(KEPT, 0), sum(one.values())) if one else None for one in of_runs]}
        for stage, of_runs in verdicts.items()
    ]


def _statistics(runs: Sequence[Run]) -> list[dict[str, Any]]:
    rows = []
    for key, label, paper in STATISTICS:
        values = [run.report["statistics"].get(key, {}).get("value") for run in runs]
        if any(value is not None for value in values):
            rows.append({"label": label, "values": values, "paper": paper})
    return rows
