"""What the earlier stages left in a run's folder, read for the report; whatever is absent is None or empty.

Read are funnel.json, statistics.json, review.json, dataset/train.parquet and model/<mixture>/log_history.json. Nothing
is computed here beyond picking samples, and nothing is written.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfinstruct_train.seeding import derive_seed

from .predict import MIXTURES


@dataclass(frozen=True)
class Sample:
    """A row of the generated data."""

    instruction: str
    input: str
    output: str


@dataclass(frozen=True)
class Review:
    """What share of `n` generated instances is right, in percent by question; `interval` where it was given."""

    n: int
    reviewer: str
    percent: dict[str, float]
    interval: dict[str, list[float]]


@dataclass(frozen=True)
class RunFacts:
    """`funnel[stage][verdict]` counts candidates; `losses[mixture]` is a list of (step, loss)."""

    funnel: dict[str, dict[str, int]]
    statistics: dict[str, float]
    review: Review | None
    samples: tuple[Sample, ...]
    losses: dict[str, list[tuple[int, float]]]


def read_run_facts(run_dir: str, seed: int, num_samples: int = 8) -> RunFacts:
    """Read what is there.

    Raises:
        ValueError: a file is there but is not JSON.
    """
    root = Path(run_dir)
    funnel = _read_json(root / "funnel.json", {})
    return RunFacts(
        funnel={stage: counts["verdicts"] for stage, counts in funnel.items() if counts.get("verdicts")},
        statistics=_numbers(_read_json(root / "statistics.json", {}).get("generated", {})),
        review=_review(root / "review.json"),
        samples=_samples(root / "dataset" / "train.parquet", seed, num_samples),
        losses={m: losses for m in MIXTURES if (losses := _losses(root / "model" / m / "log_history.json"))},
    )


def _read_json(path: Path, absent: Any) -> Any:
    if not path.is_file():
        return absent
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not JSON ({error}); delete it, or run the stage that writes it again") from None


def _review(path: Path) -> Review | None:
    record = _read_json(path, None)
    if record is None:
        return None
    try:
        percent, interval = _numbers(record["percent"]), dict(record.get("interval", {}))
        return Review(int(record["n"]), str(record.get("reviewer", "")), percent, interval)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f'{path}: a review holds "n" and "percent" of each question ({error!r})') from None


def _numbers(record: dict[str, Any]) -> dict[str, float]:
    return {k: v for k, v in record.items() if isinstance(v, int | float) and not isinstance(v, bool)}


def _losses(path: Path) -> list[tuple[int, float]]:
    return [(entry["step"], entry["loss"]) for entry in _read_json(path, []) if "loss" in entry and "step" in entry]


def _samples(path: Path, seed: int, number: int) -> tuple[Sample, ...]:
    if not path.is_file():
        return ()
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(path, columns=["instruction", "input", "output", "source"]).to_pylist()
    generated = [Sample(r["instruction"], r["input"], r["output"]) for r in rows if r["source"] == "generated"]
    rng = random.Random(derive_seed(seed, "eval", "report", "samples"))
    return tuple(rng.sample(generated, min(number, len(generated))))
