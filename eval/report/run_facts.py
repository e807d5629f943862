"""What the earlier stages left in a run's folder, read for the report; whatever is absent is None or empty.

Read are funnel.json, statistics.json, review.json and review-people.json, dataset/train.parquet and of each model
log_history.json and verification.json. Nothing is computed here beyond picking samples, and nothing is written.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfinstruct_train.core.names import MIXTURES
from selfinstruct_train.core.records import Row
from selfinstruct_train.core.seeding import derive_seed
from selfinstruct_train.core.storage import read_json, sha256_of

_NUM_ROWS = 8  # of the generated data


@dataclass(frozen=True)
class Review:
    """What share of `n` generated instances is right, in percent by question; `interval` where it was given."""

    n: int
    reviewer: str
    percent: dict[str, float]
    interval: dict[str, list[float]]


@dataclass(frozen=True)
class Verified:
    """How a trained model answered when it was read back from disk; rates and `interval` in percent.

    `num_questions` is 0 where its files were at fault, so that nothing was asked.
    """

    passed: bool
    num_questions: int = 0
    stop_rate: float = 0.0
    interval: tuple[float, float] = (0.0, 0.0)
    repetition_rate: float = 0.0
    mean_tokens: float = 0.0


@dataclass(frozen=True)
class ValidationLoss:
    """The least loss on validation rows while training, at `step`."""

    step: int
    loss: float
    rouge_l: float


@dataclass(frozen=True)
class RunFacts:
    """`funnel[stage][verdict]` counts candidates; `losses[mixture]` is a list of (step, loss), `seconds` its time.

    A loss that was no finite number is None, which JSON knows.
    """

    funnel: dict[str, dict[str, int]]
    statistics: dict[str, float]
    reviews: tuple[Review, ...]
    rows: tuple[Row, ...]
    losses: dict[str, list[tuple[int, float | None]]]
    verified: dict[str, Verified]
    validation: dict[str, ValidationLoss]
    seconds: dict[str, float]


def read_run_facts(run_dir: str, seed: int) -> RunFacts:
    """Read what is there.

    Raises:
        ValueError: a file is there but is not JSON.
    """
    root = Path(run_dir)
    funnel = _read_json(root / "funnel.json", {})
    return RunFacts(
        funnel={stage: counts["verdicts"] for stage, counts in funnel.items() if counts.get("verdicts")},
        statistics=_numbers(_read_json(root / "statistics.json", {}).get("generated", {})),
        reviews=tuple(r for name in ("review", "review-people") if (r := read_review(root / f"{name}.json"))),
        rows=_rows(root / "dataset" / "train.parquet", seed),
        losses={m: losses for m in MIXTURES if (losses := _losses(root / "model" / m / "log_history.json"))},
        verified={m: v for m in MIXTURES if (v := _verified(root / "model" / m / "verification.json"))},
        validation={m: h for m in MIXTURES if (h := _validation(root / "model" / m / "log_history.json"))},
        seconds={m: s for m in MIXTURES if (s := _seconds(root / "model" / m / "log_history.json"))},
    )


def read_review(path: Path) -> Review | None:
    """Read a review of the run's data; None: there is none, or it is of other data, which were made again since.

    Raises:
        ValueError: the file is not JSON, or no review.
    """
    record = _read_json(path, None)
    if record is None:
        return None
    try:
        data = path.parent / "dataset" / "train.parquet"
        if "dataset_sha256" in record and data.is_file() and record["dataset_sha256"] != sha256_of(data):
            return None
        percent, interval = _numbers(record["percent"]), dict(record.get("interval", {}))
        return Review(int(record["n"]), str(record.get("reviewer", "")), percent, interval)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f'{path}: a review holds "n" and "percent" of each question ({error!r})') from None


def _read_json(path: Path, absent: Any) -> Any:
    return read_json(path) if path.is_file() else absent


def _numbers(record: dict[str, Any]) -> dict[str, float]:
    return {k: v for k, v in record.items() if isinstance(v, int | float) and not isinstance(v, bool)}


def _losses(path: Path) -> list[tuple[int, float | None]]:
    logged = [entry for entry in _read_json(path, []) if "loss" in entry and "step" in entry]
    return [(entry["step"], entry["loss"] if math.isfinite(entry["loss"]) else None) for entry in logged]


def _seconds(path: Path) -> float:
    """How long the training took, as the trainer's last line tells; of a resumed one only what came after."""
    return sum(entry["train_runtime"] for entry in _read_json(path, []) if "train_runtime" in entry)


def _verified(path: Path) -> Verified | None:
    record = _read_json(path, None)
    if record is None:
        return None
    figures = record["figures"]
    if "stop_rate" not in figures:
        return Verified(record["passed"])
    low, high = figures["stop_rate_interval"]
    return Verified(
        passed=record["passed"],
        num_questions=figures["questions"],
        stop_rate=100 * figures["stop_rate"],
        interval=(100 * low, 100 * high),
        repetition_rate=100 * figures["repetition_rate"],
        mean_tokens=figures["mean_tokens"],
    )


def _validation(path: Path) -> ValidationLoss | None:
    logged = [entry for entry in _read_json(path, []) if "eval_loss" in entry and "eval_rouge_l" in entry]
    measured = [entry for entry in logged if math.isfinite(entry["eval_loss"])]
    best = min(measured, key=lambda entry: entry["eval_loss"], default=None)
    return ValidationLoss(best["step"], best["eval_loss"], best["eval_rouge_l"]) if best else None


def _rows(path: Path, seed: int) -> tuple[Row, ...]:
    if not path.is_file():
        return ()
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(path, columns=["instruction", "input", "output", "source"]).to_pylist()
    generated = [Row("", r["instruction"], r["input"], r["output"]) for r in rows if r["source"] == "generated"]
    rng = random.Random(derive_seed(seed, "eval", "report", "samples"))
    return tuple(rng.sample(generated, min(_NUM_ROWS, len(generated))))
