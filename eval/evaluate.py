"""The run of an evaluation: ask every system of a run, or read anyone's answers, and score them beside the known ones.

All files and settings are checked, and tokenizers loaded, before the first model is. What was asked is journaled, so a
stopped evaluation goes on with the same call; reports are other modules' business.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfinstruct_train.config import Config, EvalConfig, check_price
from selfinstruct_train.config.load import changed_settings
from selfinstruct_train.core.names import BASE, BASE_CUT, METRICS, TASKS, USER_ORIENTED
from selfinstruct_train.core.progress import shown
from selfinstruct_train.core.storage import write_json

from .comparisons import NOT_TOLD_APART, Comparison
from .examples import Example, ExampleSet
from .external import read_predictions
from .metrics import Tokenize, load_tokenizer
from .predict import (
    Kind,
    System,
    cut_at_blank_line,
    doubts,
    find_systems,
    kind_of,
    predict,
    system_model,
    weights_of,
    write_predictions,
)
from .prompts import prompt_limit, prompt_settings
from .published import SET as PUBLISHED_SET
from .published import find_published, read_published
from .scores import Evaluation, evaluate_predictions, to_json
from .tasks import load_sets

if TYPE_CHECKING:
    from selfinstruct_train.lm.base import LM

logger = logging.getLogger(__name__)

Sets = Mapping[str, Sequence[Example]]


@dataclass(frozen=True)
class Evaluated:
    """The evaluation of each set, and the files written."""

    evaluations: list[Evaluation]
    files: list[Path]


def evaluate_run(config: Config, state_of: Callable[[Path], str] | None = None) -> Evaluated:
    """Ask the base, the trained models and `eval.models`; write <run_dir>/eval/<system>/ and eval/scores.json.

    Args:
        state_of: see `predict.doubts`; None: no model's verification is looked for.

    Raises:
        ValueError: data, a setting or a model is not what it should be.
        BudgetReachedError: a limit of the run's budget; the answers so far are kept.
    """
    sets, systems = load_sets(config.eval), find_systems(config)
    weights = {system.name: weights_of(system, config) for system in systems}
    for system in systems:
        if weights[system.name] is None and system.kind != "trained":
            setting = "model" if system.path is None else f"eval.models.{system.name}"
            check_price(config.budget, setting, system_model(system, config))
    published = read_published(config.eval, sets[PUBLISHED_SET]) if PUBLISHED_SET in sets else {}
    tokenize = rouge_tokenizer(config)
    asked = {
        system.name: load_sets(config.eval, limit) if (limit := prompt_limit(config, system.path)) else sets
        for system in systems
    }
    logger.info("%s", changed_settings(config))
    for line in doubts(config, state_of or (lambda _: "passed")):
        logger.warning("%s", line)
    logger.info("evaluating %s on %s", ", ".join(s.name for s in systems), ", ".join(sets))
    files: list[Path] = []
    answers: dict[str, dict[str, Sequence[str]]] = {name: {} for name in sets}
    for system in systems:
        files += _ask_system(config, system, sets, asked[system.name], answers)
    if published:
        answers[PUBLISHED_SET] |= published
    with shown("scoring"):
        evaluations = evaluate_sets(config, sets, answers, tokenize)
    content = [to_json(e) | {"weights": weights} | _settings(config.eval, e.name) for e in evaluations]
    files.append(write_json(Path(config.run_dir) / "eval" / "scores.json", content))
    return Evaluated(evaluations, files)


def _settings(config: EvalConfig, set_name: str) -> dict[str, Any]:
    """What else the scores of a set depend on, for whoever reads them when the settings are others."""
    split = config.split if set_name == TASKS else None
    return {"prompt": prompt_settings(config), "rouge_tokenizer": config.rouge_tokenizer, "split": split}


def evaluate_sets(
    config: Config,
    sets: Sets,
    answers: Mapping[str, Mapping[str, Sequence[str]]],
    tokenize: Tokenize | None,
) -> list[Evaluation]:
    """Score the answers of a run's systems to each of its sets.

    Args:
        answers: of each set, of each system by its name in the run, in the order of the set's examples.
        tokenize: from `rouge_tokenizer`.
    """
    sources: dict[str, str] = {TASKS: config.eval.tasks, USER_ORIENTED: config.eval.user_oriented or ""}
    return [
        _score(
            config,
            ExampleSet(name, sources[name], sets[name]),
            texts,
            {system: kind_of(system, config) for system in texts},
            tokenize,
        )
        for name, texts in answers.items()
    ]


def evaluate_files(config: Config, paths: Sequence[str], scores_path: str | None = None) -> Evaluated:
    """Score predictions files of one set, beside each other and the published systems; no model is loaded.

    Raises:
        ValueError: a file does not answer exactly one set of the configuration, or they answer different ones.
    """
    sets = load_sets(config.eval)
    read = {path: read_predictions(path, sets) for path in paths}
    set_name = read[paths[0]][0]
    for path, (other, texts) in read.items():
        if other != set_name:
            raise ValueError(f"{path} answers {other}, but {paths[0]} {set_name}; give files that answer the same set")
        logger.info("%s answers the %d examples of %s", path, len(texts), other)
    published: dict[str, Sequence[str]] = {}
    if set_name == PUBLISHED_SET:
        given = {Path(path).resolve() for path in paths}
        new = [name for name, path in find_published(config.eval).items() if path.resolve() not in given]
        published = {name: texts for name, texts in read_published(config.eval, sets[set_name]).items() if name in new}
    names = _names(list(read), taken={BASE_CUT, *published})
    answers: dict[str, Sequence[str]] = {name: read[path][1] for name, path in names.items()}
    kinds: dict[str, Kind] = dict.fromkeys(answers, "other")
    answers |= published
    kinds |= dict.fromkeys(published, "published")
    of = ExampleSet(set_name, ", ".join(paths), sets[set_name])
    e = _score(config, of, answers, kinds, rouge_tokenizer(config))
    return Evaluated([e], [write_json(Path(scores_path), to_json(e))] if scores_path else [])


def rouge_tokenizer(config: Config) -> Tokenize | None:
    """Return what cuts texts for ROUGE: `eval.rouge_tokenizer`'s tokens; None: rouge_score's own words.

    Raises:
        ValueError: there is no such tokenizer.
    """
    if config.eval.rouge_tokenizer is not None:
        return load_tokenizer(config.eval.rouge_tokenizer)
    if config.eval.split == "xlingual":
        logger.warning(
            "ROUGE sees a-z and 0-9 only, and these tasks are in many languages; compare as Tk-Instruct does: "
            "--eval.rouge_tokenizer gpt2"
        )
    return None


def file_lines(evaluation: Evaluation) -> list[str]:
    """Tell the scores of each given file, the published systems', and how each file stands to all others."""
    given = [s for s, kind in evaluation.kinds.items() if kind == "other"]
    lines = []
    for system in given:
        lines += [system] if len(given) > 1 else []
        scores = [evaluation.find(system, metric) for metric in METRICS]
        lines += [f"{s.metric:<12} {s.value:8.4f}  (95 % interval {s.low:.1f} to {s.high:.1f})" for s in scores]
    for system in [s for s, kind in evaluation.kinds.items() if kind == "published"]:
        s = evaluation.find(system)
        lines.append(f"{s.metric:<12} {s.value:8.4f}  (95 % interval {s.low:.1f} to {s.high:.1f}), {system}")
    pairs = [c for c in evaluation.comparisons if c.metric == METRICS[0] and {c.system, c.against} & set(given)]
    return [*lines, *map(_pair_line, pairs)]


def _score(
    config: Config,
    of: ExampleSet,
    answers: Mapping[str, Sequence[str]],
    kinds: Mapping[str, Kind],
    tokenize: Tokenize | None,
) -> Evaluation:
    """Score by the run's settings; a system that has not a word in any answer gets a warning."""
    for system, texts in answers.items():
        if not any(text.strip() for text in texts):
            logger.warning("every answer of %s to %s is empty; look at its prompts and stop strings", system, of.name)
    samples = config.eval.bootstrap_samples
    return evaluate_predictions(of, answers, config.seed, samples, kinds, tokenize)


def _pair_line(c: Comparison) -> str:
    verdict = f"{c.verdict} from" if c.verdict == NOT_TOLD_APART else f"{c.verdict} than"
    return (
        f"{c.system} {verdict} {c.against}: {c.value:+.1f} {c.metric} (95 % interval {c.low:+.1f} to {c.high:+.1f}), "
        f"p {c.p_adjusted:.2g} corrected, {c.minimum_detectable:.1f} detectable"
    )


def _ask_system(
    config: Config, system: System, sets: Sets, asked: Sets, answers: dict[str, dict[str, Sequence[str]]]
) -> list[Path]:
    """Put a system's answers to every set into `answers`, and into files, which are returned."""
    lm = _load(config, system)
    files = []
    for name, examples in sets.items():
        completions = predict(lm, system, name, asked[name], config)
        files.append(write_predictions(config.run_dir, system.name, name, examples, completions))
        answers[name][system.name] = [c.text for c in completions]
        if system.name == BASE:
            answers[name][BASE_CUT] = [cut_at_blank_line(c.text) for c in completions]
    return files


def _load(config: Config, system: System) -> LM:
    from selfinstruct_train.lm import load_lm

    try:
        # a path is always given: a server has no tuned model, and both must be asked by the same backend
        return load_lm(config.model, system.path or config.model.path)
    except ValueError as error:
        where = f"eval.models, {system.name!r}: " if system.kind == "other" else ""
        hint = "; no server is asked here, model.backend http or not" if config.model.backend == "http" else ""
        raise ValueError(f"{where}{error}{hint}") from error


def _names(paths: Sequence[str], taken: Collection[str]) -> dict[str, str]:
    """Name each file: by its stem, or where that is taken or two have the same by its whole path."""
    stems = [Path(path).stem for path in paths]
    return {
        stem if stems.count(stem) == 1 and stem not in taken else str(Path(path).absolute()): path
        for stem, path in zip(stems, paths, strict=True)
    }
