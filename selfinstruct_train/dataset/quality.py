"""Rows below a score are left out: graded 1 to 5 by a language model, or scored by a reward model.

Only generated rows are scored; seed rows stay, since people wrote them. Every score goes through the journal
<run_dir>/journal/quality-<scorer>.jsonl, so trying another `min_score` asks nothing again. A row without a readable
score is left out too, and counted apart: no score is made up for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..config import Config, QualityConfig
from ..core.journal import Journal
from ..core.names import KEPT
from ..core.records import Completion, Request, Row, Sampling
from ..core.seeding import derive_seed
from ..core.storage import text_sha256, write_jsonl
from ..generate.self_instruct.parse import REFUSED
from ..lm import load_lm
from ..lm.asking import Questions, ask, check_model
from ..lm.base import LM
from ..lm.reward import TOO_LONG, RewardModel, load_reward_model
from .rows import read_asked, write_rows
from .rubric import CHAT_QUESTION, PLAIN_QUESTION, RUBRIC, question, read_grade

LOW_SCORE = "low_score"
UNREADABLE = "unreadable"
DEFAULT_MIN_GRADE = 4.0
"""Grades 4 and 5 say that instruction, input and output all hold."""


@dataclass(frozen=True)
class ScoreOutcome:
    """The score of a generated row and what became of it; `score` is None where `answer` holds none."""

    id: str
    score: float | None
    answer: str
    verdict: str


@dataclass(frozen=True)
class QualityPlan:
    """A checked filtering: all rows of the dataset, and the generated ones, which are scored."""

    config: Config
    rows: list[Row]
    scored: list[Row]


@dataclass(frozen=True)
class Filtered:
    """The rows that stay, the outcome of every generated row, and the files written, the dataset first."""

    rows: list[Row]
    outcomes: list[ScoreOutcome]
    files: list[Path]


def prepare_quality(config: Config) -> QualityPlan:
    """Read the dataset and check the journal, before a model is loaded.

    Raises:
        ValueError: no model is named; there is no dataset, it holds no generated row, or the journal belongs to other
            settings.
    """
    check_model(config, "quality.model", config.quality.model, "the judge or reward model that scores the rows")
    rows, scored = read_asked(config, "quality.dataset", config.quality.dataset, "scored")
    Journal.check(_journal_path(config), _header(config))
    return QualityPlan(config, rows, scored)


def load_scorer(config: Config) -> LM | RewardModel:
    """Load the judge or the reward model.

    Raises:
        ValueError: no such model is there, or it cannot be loaded.
    """
    return (
        load_lm(config.quality.model) if config.quality.scorer == "judge" else load_reward_model(config.quality.model)
    )


def filter_by_quality(plan: QualityPlan, scorer: LM | RewardModel) -> Filtered:
    """Score every generated row that the journal has no score of; write the rows that stay, and the ledger.

    Raises:
        ValueError: no row got a readable score; the journal belongs to another configuration, or another process is
            using it.
        BudgetReachedError: a limit of the budget ends it here; raise it and give the same command.
        UnansweredError: some requests stayed open; the same command asks for them again.
    """
    config, settings = plan.config, plan.config.quality
    with Journal.open(_journal_path(config), {**_header(config), "lm": scorer.name}) as journal:
        requests = [_request(row, config, scorer) for row in plan.scored]
        questions = Questions("quality", requests, _sampling(settings))
        completions = ask(config, settings.model, scorer, journal, questions)
        outcomes = score_outcomes(plan.scored, completions, settings)
        if all(outcome.score is None for outcome in outcomes):
            raise ValueError(
                f"none of {len(outcomes)} rows got a readable score from {scorer.name}; the first answer is "
                f"{outcomes[0].answer[:80]!r}; choose another quality.model, chat or sampling, and another run_dir"
            )
        dropped = {outcome.id for outcome in outcomes if outcome.verdict != KEPT}
        rows = [row for row in plan.rows if row.id not in dropped]
        run_dir = Path(config.run_dir)
        files = [
            write_rows(run_dir / "filtered", rows),
            write_jsonl(run_dir / "candidates/quality.jsonl", (asdict(outcome) for outcome in outcomes)),
        ]
        return Filtered(rows, outcomes, files)


def score_outcomes(
    rows: Sequence[Row], completions: Sequence[Completion], settings: QualityConfig
) -> list[ScoreOutcome]:
    """Read the score of each row and decide which rows stay.

    With `keep_fraction` the best so many of the rows that have a score stay, the earlier row first among equals; else
    those of at least `min_score`.
    """
    scores = [_read_score(completion, settings) for completion in completions]
    if settings.keep_fraction is not None:
        ranked = sorted((-score, i) for i, score in enumerate(scores) if score is not None)
        stays = {i for _, i in ranked[: max(1, round(settings.keep_fraction * len(ranked)))]}
    else:
        least = DEFAULT_MIN_GRADE if settings.min_score is None else settings.min_score
        stays = {i for i, score in enumerate(scores) if score is not None and score >= least}
    outcomes = []
    for i, (row, completion, score) in enumerate(zip(rows, completions, scores, strict=True)):
        verdict = KEPT if i in stays else LOW_SCORE
        if score is None:
            too_long = settings.scorer == "reward_model" and completion.finish_reason == TOO_LONG
            refused = completion.finish_reason == "content_filter"
            verdict = "too_long" if too_long else REFUSED if refused else UNREADABLE
        outcomes.append(ScoreOutcome(row.id, score, completion.text.strip(), verdict))
    return outcomes


def histogram(outcomes: Sequence[ScoreOutcome], scorer: str) -> str:
    """Draw how many rows got which score: a line for each grade, or for each of ten equal steps of a reward."""
    scores = [outcome.score for outcome in outcomes if outcome.score is not None]
    if not scores:
        return "no row has a score"
    if scorer == "judge":
        names = [str(grade) for grade in range(1, 6)]
        counts = Counter(str(int(score)) for score in scores)
    else:
        low, step = min(scores), (max(scores) - min(scores)) / 10
        names = [f"{low + i * step:.2f} to {low + (i + 1) * step:.2f}" for i in range(10)]
        counts = Counter(names[min(9, int((score - low) / step)) if step else 0] for score in scores)
    most = max(counts.values())
    return "\n".join(f"{name:<24}{counts[name]:>8}  {'#' * round(40 * counts[name] / most)}".rstrip() for name in names)


def _read_score(completion: Completion, settings: QualityConfig) -> float | None:
    if settings.scorer == "judge":
        return read_grade(completion.text, settings.chat)
    return float(completion.text) if completion.finish_reason != TOO_LONG else None


def _request(row: Row, config: Config, scorer: LM | RewardModel) -> Request:
    id = f"quality-{row.id}"
    if isinstance(scorer, RewardModel):
        return Request(id, scorer.render(row.instruction, row.input, row.output))
    chat = config.quality.chat
    prompt = question(row.instruction, row.input, row.output, chat)
    return Request(id, prompt, derive_seed(config.seed, "quality", row.id), chat)


def _sampling(settings: QualityConfig) -> Sampling:
    """Return the judge's sampling; a reward model has none, and writes nothing."""
    return settings.sampling if settings.scorer == "judge" else Sampling(max_new_tokens=1)


def _journal_path(config: Config) -> Path:
    return Path(config.run_dir) / f"journal/quality-{config.quality.scorer}.jsonl"


def _header(config: Config) -> dict[str, Any]:
    """What questions and answers depend on, but for the rows (each prompt has its hash) and the model's name."""
    settings = config.quality
    header: dict[str, Any] = {"stage": "quality", "scorer": settings.scorer}
    if settings.scorer == "reward_model":
        return header
    return header | {
        "seed": config.seed,
        "chat": settings.chat,
        "rubric_sha256": text_sha256(RUBRIC, CHAT_QUESTION if settings.chat else PLAIN_QUESTION),
        "sampling": asdict(settings.sampling),
    }
