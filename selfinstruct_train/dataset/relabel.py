"""The outputs of a dataset written anew by another, stronger model: the paper's distillation (section 4.5).

Instructions and inputs stay, and so do the rows of seed tasks, which people wrote. Every answer goes through the
journal <run_dir>/journal/relabel.jsonl; the dataset in <run_dir>/relabelled is rebuilt from it. An answer that is
empty, or cut at the token limit, is no output: its row is left out and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..config import Config
from ..core.journal import Journal
from ..core.names import KEPT
from ..core.prompt_format import evaluation_prompt, user_message
from ..core.records import Completion, Request, Row
from ..core.seeding import derive_seed
from ..core.storage import write_jsonl
from ..generate.self_instruct.parse import REFUSED
from ..lm.asking import Questions, ask, check_model
from ..lm.base import LM
from .rows import read_asked, write_rows

EMPTY = "empty"
CUT_OFF = "cut_off"


@dataclass(frozen=True)
class OutputOutcome:
    """What became of a generated row: its output before and after, and whether the row was kept."""

    id: str
    old: str
    new: str
    verdict: str


@dataclass(frozen=True)
class RelabelPlan:
    """A checked relabelling: the rows, and the requests for the generated ones, in the order of the rows."""

    config: Config
    rows: list[Row]
    requests: list[Request]


@dataclass(frozen=True)
class Relabelled:
    """The rows with their new outputs, the outcome of every generated row, and the files written, the dataset first."""

    rows: list[Row]
    outcomes: list[OutputOutcome]
    files: list[Path]


def prepare_relabel(config: Config) -> RelabelPlan:
    """Read the dataset and check the journal, before a model is loaded.

    Raises:
        ValueError: no model is named; there is no dataset, it holds no generated row, or the journal belongs to other
            settings; train.template is chat and relabel.chat false.
    """
    if config.train.template == "chat" and not config.relabel.chat:
        raise ValueError(
            "relabel.chat is false, which asks in plain text, but train.template is chat; set relabel.chat: true, or "
            "train.template: fixed or paper"
        )
    check_model(config, "relabel.model", config.relabel.model, "the stronger one that writes the outputs")
    rows, generated = read_asked(config, "relabel.dataset", config.relabel.dataset, "relabelled")
    requests = [_request(row, config) for row in generated]
    Journal.check(_journal_path(config), _header(config))
    return RelabelPlan(config, rows, requests)


def relabel(plan: RelabelPlan, lm: LM) -> Relabelled:
    """Ask for the output of every generated row that the journal has no answer to; write dataset and ledger.

    Raises:
        ValueError: the journal belongs to another configuration, or another process is using it.
        BudgetReachedError: a limit of the budget ends it here; raise it and give the same command.
        UnansweredError: some requests stayed open; the same command asks for them again.
    """
    config, settings = plan.config, plan.config.relabel
    with Journal.open(_journal_path(config), {**_header(config), "lm": lm.name}) as journal:
        questions = Questions("relabel", plan.requests, settings.sampling)
        completions = ask(config, settings.model, lm, journal, questions)
        rows, outcomes = with_new_outputs(plan.rows, completions)
        run_dir = Path(config.run_dir)
        files = [
            write_rows(run_dir / "relabelled", rows),
            write_jsonl(run_dir / "candidates/relabel.jsonl", (asdict(outcome) for outcome in outcomes)),
        ]
        return Relabelled(rows, outcomes, files)


def with_new_outputs(rows: Sequence[Row], completions: Sequence[Completion]) -> tuple[list[Row], list[OutputOutcome]]:
    """Put answers, one for each generated row in order, in place of the outputs.

    `finish_reason` becomes that of the new answer; all else tells, as before, where instruction and input came from.
    """
    answers = iter(completions)
    kept, outcomes = [], []
    for row in rows:
        if row.source == "seed":
            kept.append(row)
            continue
        completion = next(answers)
        outcome = OutputOutcome(row.id, row.output, completion.text.strip(), _verdict(completion))
        outcomes.append(outcome)
        if outcome.verdict == KEPT:
            kept.append(replace(row, output=outcome.new, finish_reason=completion.finish_reason))
    assert next(answers, None) is None, "more answers than generated rows"
    return kept, outcomes


def _verdict(completion: Completion) -> str:
    if completion.finish_reason == "content_filter":
        return REFUSED
    if completion.finish_reason == "length":
        return CUT_OFF
    return KEPT if completion.text.strip() else EMPTY


def _request(row: Row, config: Config) -> Request:
    chat = config.relabel.chat
    if chat:
        prompt = user_message(row.instruction, row.input)
    else:
        prompt = evaluation_prompt(row.instruction, row.input, config.train.template)
    return Request(f"relabel-{row.id}", prompt, derive_seed(config.seed, "relabel", row.id), chat)


def _journal_path(config: Config) -> Path:
    return Path(config.run_dir) / "journal/relabel.jsonl"


def _header(config: Config) -> dict[str, Any]:
    """What prompts and answers depend on, but for the rows (each prompt has its hash) and the model's name."""
    settings = config.relabel
    prompt = {"chat": True} if settings.chat else {"chat": False, "template": config.train.template}
    return {"stage": "relabel", "seed": config.seed, **prompt, "sampling": asdict(settings.sampling)}
