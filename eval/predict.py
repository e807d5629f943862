"""Ask the base model and every trained model of a run the evaluation's examples, journaled.

The text of a question is `prompt_format`'s, as in training; the model is reached through the LM door. What a local
model answered is filed under a fingerprint of its weights, so a model trained again is asked again and an unchanged
one never twice. Scores are none of this module's business.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from selfinstruct_train.config import Config, ModelConfig
from selfinstruct_train.core.journal import Journal, read_header
from selfinstruct_train.core.model_source import check_model_source, fingerprint, model_source
from selfinstruct_train.core.names import BASE, BASE_CUT, MIXTURES, TASKS
from selfinstruct_train.core.prompt_format import question
from selfinstruct_train.core.records import Completion, Request
from selfinstruct_train.core.seeding import derive_seed
from selfinstruct_train.core.storage import write_jsonl
from selfinstruct_train.lm.asking import Questions, ask
from selfinstruct_train.lm.base import LM

from .examples import Example
from .external import read_predictions
from .prompts import prompt_settings
from .published import SET as PUBLISHED_SET
from .published import read_published, refuse_names

Kind = Literal["base", "trained", "other", "published"]
"""The run's base model; trained by the run; named in eval.models; known by its published answers alone."""


@dataclass(frozen=True)
class System:
    """Whose answers are scored; `path` is where its model is, None for the run's base and for published answers."""

    name: str
    kind: Kind = "base"
    path: str | None = None


def find_systems(config: Config) -> list[System]:
    """Return all that are to be asked: the base, of the run's mixtures each whose model is there, and eval.models.

    Of the trained ones the one with generated data comes last.

    Raises:
        ValueError: model.path or a path of eval.models names a folder that holds no model; a name is a published one's.
    """
    refuse_names("eval.models", config.eval.models)
    refuse_names("experiment.datasets", config.experiment.datasets)  # an experiment asks its arms by these names
    check_model_source(model_source(config.model.path))
    for name, path in config.eval.models.items():
        try:
            check_model_source(model_source(path))
        except ValueError as error:
            raise ValueError(f"eval.models, {name!r}: {error}") from error
    models = Path(config.run_dir) / "model"
    mixtures = [m for m in MIXTURES if m in config.train.mixtures and any((models / m).glob("*.safetensors"))]
    trained = [System(mixture, "trained", str(models / mixture)) for mixture in mixtures]
    others = [System(name, "other", path) for name, path in config.eval.models.items()]
    return [System(BASE), *trained, *others]


def doubts(config: Config, state_of: Callable[[Path], str]) -> list[str]:
    """Return a line for each trained model that an evaluation lacks, or that is not proven fit for use.

    Args:
        state_of: tells of a model folder whether it "passed" its verification, "failed" it, or was "not verified".
    """
    found, models = [], Path(config.run_dir) / "model"
    systems = {system.name: system for system in find_systems(config)}
    for mixture in config.train.mixtures:
        system = systems.get(mixture)
        if system is None:
            found.append(
                f"{mixture} is not evaluated: {models / mixture} holds no model; run `selfinstruct train` first, then "
                "this command again"
            )
        elif (state := state_of(models / mixture)) == "failed":
            found.append(
                f"{mixture} is evaluated, but it failed its verification: {models / mixture / 'verification.json'} "
                "says why"
            )
        elif state == "not verified":
            found.append(f"{mixture} is evaluated, but these weights are not verified; run `selfinstruct verify`")
    return found


def kind_of(name: str, config: Config) -> Kind:
    """Return the kind of the system that has this name in a run."""
    if name in config.eval.models:
        return "other"
    return "base" if name in (BASE, BASE_CUT) else "trained" if name in MIXTURES else "published"


def system_model(system: System, config: Config) -> ModelConfig:
    """Return how a system is reached: as the run's model, at its own path."""
    return replace(config.model, path=system.path or config.model.path)


def weights_of(system: System, config: Config) -> str | None:
    """Return the fingerprint of a system's weights; None: they are not on this machine, so a commit pins them."""
    source = Path(model_source(system.path or config.model.path))
    return fingerprint(source) if source.exists() else None


def predict(lm: LM, system: System, name: str, examples: Sequence[Example], config: Config) -> list[Completion]:
    """Return the system's answer to each example, asking `lm` for those that no earlier run has journaled.

    Args:
        name: the set the examples belong to; ids of two sets may be equal.

    Raises:
        ValueError: the journal belongs to other settings.
        BudgetReachedError: a limit of the run's budget; the answers so far are kept.
    """
    requests = []
    for e in examples:
        text, is_chat = (e.prompt, False) if e.prompt else question(e.instruction, e.input, config.train.template)
        requests.append(Request(f"{name}/{e.id}", text, derive_seed(config.seed, "eval", name, e.id), is_chat))
    path, header = journal_of(system, config)
    header["lm"] = _name_there(path, lm.name) if weights_of(system, config) else lm.name
    with Journal.open(path, header) as journal:
        questions = Questions(f"{system.name}, {name}", requests, config.eval.sampling, unit="answers")
        return ask(config, system_model(system, config), lm, journal, questions)


def journal_of(system: System, config: Config) -> tuple[Path, dict[str, Any]]:
    """Return where a system's answers are journaled, and all of the journal's header but "lm", the model's name."""
    weights = weights_of(system, config)
    path = Path(config.run_dir) / "journal" / f"eval-{system.name}{f'-{weights[:8]}' if weights else ''}.jsonl"
    return path, {
        "stage": "eval",
        "system": system.name,
        "seed": config.seed,
        "template": config.train.template,
        **prompt_settings(config.eval),
        "sampling": asdict(config.eval.sampling),
    }


def _name_there(journal: Path, name: str) -> str:
    """Return a model's name as the journal has it where only its folder differs: a moved run has the same weights."""
    there = str(read_header(journal).get("lm", "")) if journal.is_file() else ""
    return there if there.rpartition("@")[2] == name.rpartition("@")[2] else name


def write_predictions(
    run_dir: str, system: str, name: str, examples: Sequence[Example], completions: Sequence[Completion]
) -> Path:
    """Write <run_dir>/eval/<system>/predictions.jsonl (of another set than "tasks": <set>_predictions.jsonl)."""
    rows = (
        {
            "id": e.id,
            "task": e.task,
            "instruction": e.instruction,
            "input": e.input,
            "prediction": c.text,
            "references": e.references,
            "finish_reason": c.finish_reason,
        }
        for e, c in zip(examples, completions, strict=True)
    )
    return write_jsonl(predictions_file(run_dir, system, name), rows)


def read_answers(config: Config, sets: Mapping[str, Sequence[Example]], set_name: str) -> dict[str, list[str]]:
    """Return what `selfinstruct eval` left: each system's answers to `sets[set_name]`, in its order.

    The systems are those of `find_systems`, "base, cut" behind "base", then the published ones where the set is theirs.

    Args:
        sets: of `load_sets(config.eval)`.

    Raises:
        ValueError: there is no such set, or a system's answers are not there or answer other examples.
    """
    if set_name not in sets:
        raise ValueError(
            f"there is no set {set_name!r} in this run, as eval.{set_name} names no file; name one (then "
            "`selfinstruct eval`), or take the other set: --judge.set tasks or --annotate.set tasks"
        )
    answers: dict[str, list[str]] = {}
    for system in find_systems(config):
        path = predictions_file(config.run_dir, system.name, set_name)
        if not path.is_file():
            raise ValueError(f"{path}: no such file; run `selfinstruct eval` with the same settings first")
        answers[system.name] = read_predictions(str(path), {set_name: sets[set_name]})[1]
        if system.name == BASE:
            answers[BASE_CUT] = [cut_at_blank_line(text) for text in answers[BASE]]
    return answers | (read_published(config.eval, sets[set_name]) if set_name == PUBLISHED_SET else {})


def fingerprint_answers(examples: Sequence[Example], answers: Sequence[str]) -> str:
    """Return what tells a system's answers to a set from its answers at another time, or to other examples.

    Judgements keep it: a report then knows which of them are of older answers.
    """
    rows = [(e.id, e.instruction, e.input, text) for e, text in zip(examples, answers, strict=True)]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def predictions_file(run_dir: str | Path, system: str, name: str) -> Path:
    """Return where a system's answers to the set `name` are written."""
    return Path(run_dir) / "eval" / system / ("predictions.jsonl" if name == TASKS else f"{name}_predictions.jsonl")


def cut_at_blank_line(text: str) -> str:
    """Return what stands before the first blank line; blank lines before the first word do not count.

    It asks how much of a base model's failure is only that it does not stop.
    """
    kept: list[str] = []
    for line in text.strip().split("\n"):
        if not line.strip():
            break
        kept.append(line)
    return "\n".join(kept)
