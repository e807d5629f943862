"""A run's evaluation as the Hub reads it (`model-index`) and as a table: every score with its interval and n.

Reads what the commands eval, judge and annotate wrote, and computes nothing anew. A public test set is called by its
own name only where the scores are of just its tasks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.builtin import PREFIX
from ..core.names import (
    BASE,
    BASE_CUT,
    EXACT_MATCH,
    METRIC_TITLES,
    METRICS,
    ROUGE_1,
    ROUGE_L,
    SET_TITLES,
    USER_ORIENTED,
)
from ..core.storage import read_object, write_text
from ..dataset.license import model_name
from ..dataset.table import as_markdown
from ..sources.natural_instructions.splits import OFFICIAL_NUMBERS, task_number

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

_HUB_METRICS = {ROUGE_L: "rouge", ROUGE_1: "rouge", EXACT_MATCH: "exact_match"}
"""What the Hub calls the metrics of scores.json."""
_OFFICIAL = {
    "default": ("super-natural-instructions", "Super-NaturalInstructions, 119 English test tasks", "default", "test"),
    "xlingual": ("super-natural-instructions", "Super-NaturalInstructions, cross-lingual", "xlingual", "test"),
    # the Hub's copy of the released file, by the names of its card
    "252": ("yizhongw/self_instruct", "Self-Instruct, 252 user-oriented tasks", "human_eval", "train"),
}
"""Identifier, name, configuration and split of public test sets."""
_APPLICATIONS_SHA256 = "d7f8c464210acb58bcca345c2fc2f518ab469fc6ec51321e866edd1068a92c1c"
"""Of the 71 applications, sorted, in the official user_oriented_instructions.jsonl (yizhongw/self-instruct 0b26cca)."""

ScoreSet = Mapping[str, Any]


def eval_results(
    sets: Sequence[ScoreSet],
    system: str,
    judge: Mapping[str, Any] | None = None,
    people: Mapping[str, Any] | None = None,
) -> list[EvalResult]:
    """Return the overall scores of one system for the head of its card; the interval stands in the metric's args.

    Args:
        judge: what eval/judge.json holds: adds how many answers a language model finds acceptable, and its win rate.
        people: what eval/people.json holds: adds how many answers people find acceptable.
    """
    results = [
        _result(scored, _HUB_METRICS[row["metric"]], METRIC_TITLES[row["metric"]], row)
        for scored in sets
        for row in _overall(scored, system, None)
    ]
    of = {scored["set"]: scored for scored in sets}
    if judge and _is_of(judge, of, system):
        lm = _public_name(judge["lm"])
        scored, by = of[judge["set"]], f"by {lm}"
        more = {"judge": lm, "prompt_sha256": judge["prompt_sha256"]}
        if acceptable := judge["rating"].get(system, {}).get("acceptable"):  # null where no reply could be read
            name = f"Acceptable answers (A or B of A to D), judged {by}"
            results.append(_result(scored, "acceptable_by_judge", name, acceptable, more))
        pairwise = judge["pairwise"]
        pairs = pairwise["systems"].get(system, {}) if _is_of(judge, of, pairwise["against"]) else {}
        for key, what in (("win_rate", "Win rate"), ("length_controlled", "Length-controlled win rate")):
            if pairs.get(key):
                name = f"{what} against {pairwise['against']}, both orders, judged {by}"
                results.append(_result(scored, key, name, pairs[key], {**more, "against": pairwise["against"]}))
    if people and _is_of(people, of, system) and system in people["systems"]:
        raters = len(people["raters"])
        name = f"Acceptable answers (A or B of A to D), rated by {raters} {'person' if raters == 1 else 'people'}"
        row = people["systems"][system]["acceptable"]
        results.append(_result(of[people["set"]], "acceptable_by_people", name, row, {"raters": raters}))
    return results


def write_model_indexes(run_dir: str) -> list[Path]:
    """Write <run_dir>/eval/<system>/model_index.yaml for each model that was asked: the head of its card.

    Raises:
        ValueError: a file of scores is missing or broken.
    """
    import yaml
    from huggingface_hub.repocard_data import eval_results_to_model_index

    folder = Path(run_dir) / "eval"
    judge, people = (
        read_object(p) if (p := folder / name).is_file() else None for name in ("judge.json", "people.json")
    )
    path, written = folder / "scores.json", []
    try:
        sets = json.loads(path.read_text(encoding="utf-8"))
        for system in _models(sets):
            results = eval_results(sets, system, judge, people)
            index = eval_results_to_model_index(f"{Path(run_dir).name}, {system}", results)
            text = yaml.safe_dump({"model-index": index}, sort_keys=False, allow_unicode=True, width=120)
            written.append(write_text(folder / system / "model_index.yaml", _HOW + text))
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file; `selfinstruct eval` writes it") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(_not_ours(folder, error)) from error
    return written


def check_results(
    run_dir: str,
    sets: Sequence[ScoreSet],
    system: str,
    judge: Mapping[str, Any] | None,
    people: Mapping[str, Any] | None,
) -> None:
    """Refuse files of a run that `eval_results` cannot read, before anything is made of them.

    Raises:
        ValueError: one line.
    """
    try:
        eval_results(sets, system, judge, people)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(_not_ours(Path(run_dir) / "eval", error)) from error


def _not_ours(folder: Path, error: Exception) -> str:
    return (
        f"{folder}: scores.json, judge.json or people.json is not as its command writes it ({error!r}); give it again"
    )


_HOW = """\
# For the head of the model's README.md; put the model's name in place of the run's. Or:
# huggingface_hub.metadata_update("me/model", yaml.safe_load(open("model_index.yaml")))
"""


def _is_of(judged: Mapping[str, Any], of: Mapping[str, ScoreSet], system: str) -> bool:
    """Tell whether judgements are of the very answers that are scored."""
    then = judged.get("answers", {}).get(system)
    now = of.get(judged["set"], {}).get("systems", {}).get(system, {}).get("answers")
    return then is not None and then == now


def _public_name(lm: str) -> str:
    """Return a journal's name of a model (path@revision backend) without the folder that holds it."""
    path, at, rest = lm.partition("@") if "@" in lm else (lm, "", "")
    return f"{model_name(path)}{at}{rest}"


def _models(sets: Sequence[ScoreSet]) -> list[str]:
    """Return the systems that were asked: neither the cut base nor published answers."""
    rows = [(scored.get("systems", {}), row) for scored in sets for row in scored["scores"]]
    kinds = {row["system"]: systems.get(row["system"], {}).get("kind") for systems, row in rows}
    return [system for system, kind in kinds.items() if system != BASE_CUT and kind != "published"]


def _result(
    scored: ScoreSet, metric: str, name: str, row: Mapping[str, Any], more: Mapping[str, Any] | None = None
) -> EvalResult:
    from huggingface_hub import EvalResult

    identifier, dataset, config, split = _OFFICIAL.get(_official(scored) or "", (None, None, None, None))
    return EvalResult(
        task_type="text-generation",
        task_name="Instruction following",
        dataset_type=identifier or f"self-instruct-{scored['set']}".replace("_", "-"),  # no dataset has this name
        dataset_name=dataset or set_name(scored),
        dataset_config=config,
        dataset_split=split,
        dataset_args={"num_examples": scored["num_examples"], "num_tasks": scored["num_tasks"], **_settings(scored)},
        metric_type=metric,
        metric_name=name,
        metric_value=round(row["value"], 2),
        metric_args={"interval_95": [round(row["low"], 2), round(row["high"], 2)], "n": row["n"], **(more or {})},
    )


def _settings(scored: ScoreSet) -> dict[str, Any]:
    """How the set was asked and scored, where not by default: under a public set's name scores seem to compare."""
    tokenizer = scored.get("rouge_tokenizer")
    others = {"rouge_tokenizer": tokenizer and model_name(tokenizer), "split": scored.get("split")}
    asked = {**scored.get("prompt", {}), **others}
    return {name: value for name, value in asked.items() if value not in (None, 0, "default")}


def _official(scored: ScoreSet) -> str | None:
    """Tell which public test set these scores are of, by its tasks and not by the name of a file."""
    groups = {kind: {row["group"] for row in scored["scores"] if row["kind"] == kind} for kind in ("task", "category")}
    if scored["set"] == USER_ORIENTED:
        applications = hashlib.sha256("\n".join(sorted(groups["category"])).encode()).hexdigest()
        is_all = scored["num_examples"] == scored["num_tasks"] == 252
        return "252" if is_all and applications == _APPLICATIONS_SHA256 else None
    numbers = {task_number(task) for task in groups["task"]}
    return next((split for split, official in OFFICIAL_NUMBERS.items() if numbers == official), None)


def evaluation_table(scored: ScoreSet, system: str) -> str:
    """Return base, tuned and gain of one set as Markdown, with 95 % intervals."""
    lines: list[tuple[str, str, str | None]]
    lines = [("base model", BASE, None), ("base model, cut at its first blank line", BASE_CUT, None)]
    lines += [("**this model**", system, None), ("**gain over the base**", system, BASE)]
    lines += [("gain over the base, cut", system, BASE_CUT)]
    cells: list[tuple[str, ...]] = [("", *METRIC_TITLES.values(), "n")]
    for label, name, against in lines:
        rows = {row["metric"]: row for row in _overall(scored, name, against)}
        if rows:
            figures = (_figure(rows[metric], against is not None) if metric in rows else "" for metric in METRICS)
            cells.append((label, *figures, f"{next(iter(rows.values()))['n']:,}"))
    return as_markdown(cells)


def judgement_table(results: Sequence[EvalResult]) -> str:
    """Return what a judge and people found as Markdown, with 95 % intervals; nothing where neither was asked."""
    rows = [
        (str(r.metric_name), f"{r.metric_value:.1f} [{low:.1f}, {high:.1f}]", f"{args['n']:,}")
        for r in results
        if r.metric_name not in METRIC_TITLES.values()
        for args in [r.metric_args or {}]
        for low, high in [args["interval_95"]]
    ]
    return as_markdown([("in percent", "", "n"), *rows]) if rows else ""


def comparison(scored: ScoreSet, system: str) -> Mapping[str, Any] | None:
    """Return how the system stands to the base in ROUGE-L: the lead, its interval and the verdict of scores.json."""
    pairs = scored.get("comparisons", [])
    wanted = {"system": system, "against": BASE, "metric": ROUGE_L}
    return next((c for c in pairs if wanted.items() <= c.items()), None)


def set_name(scored: ScoreSet) -> str:
    """Return what a set is called, with its source: a built-in name, or the last part of its path."""
    source = str(scored.get("source", ""))
    shown = source if source.startswith(PREFIX) else source.rstrip("/\\").replace("\\", "/").split("/")[-1]
    name = SET_TITLES.get(scored["set"], str(scored["set"]))
    return f"{name} ({shown})" if shown else name


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
