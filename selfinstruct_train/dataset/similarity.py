"""How similar instructions are to each other and to the seeds, in bulk: ROUGE-L of every pair, block by block.

As the released code stores it, each machine-written instruction gets its most similar ten and its mean similarity in
the pool as it stood when it was accepted: the seeds, and what was accepted before. No decision hangs on any of it
(novelty.py decides), so it is computed once, after the run, at a few hundredths of a microsecond a pair.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..config import Config
from ..core.builtin import resolve
from ..core.names import KEPT
from ..core.records import SeedTask
from ..core.rouge import Coded, encode, f1
from ..core.storage import write_jsonl
from ..generate.seeds import read_seed_tasks
from ..generate.tokenize import Tokenization, splitter, tokenization_of

NUM_MOST_SIMILAR = 10  # released code, bootstrap_instructions.py
_PAIRS_IN_A_BLOCK = 4_000_000
"""At once in memory, at 2 bytes a pair."""
_STRIP = 64
"""Of so many scores only the largest counts when the tenth largest of a row is estimated from below."""

Progress = Callable[[int], object]
"""Told how many instructions more are done."""


@dataclass(frozen=True)
class Similarity:
    """Of one instruction: the most similar texts of its pool with their ROUGE-L, best first, and the pool's mean."""

    most_similar: tuple[tuple[str, float], ...]
    mean: float

    def as_released(self) -> dict[str, Any]:
        """The two fields of the released machine_generated_instructions.jsonl."""
        return {"most_similar": dict(self.most_similar), "avg_similarity_score": self.mean}


def similarities(
    seeds: Sequence[str],
    accepted: Sequence[str],
    progress: Progress | None = None,
    tokenization: Tokenization = "rouge_score",
) -> list[Similarity]:
    """Compare each accepted instruction with the seeds and all accepted before it.

    Of equally similar texts the earlier stands first. An instruction with an empty pool has mean 0.
    """
    texts = [*seeds, *accepted]
    coded = encode(map(splitter(tokenization), texts))
    lengths = np.array([len(text) for text in coded], np.float32)
    found = []
    start = len(seeds)
    while start < len(texts):
        num_rows = int((math.sqrt(start * start + 4 * _PAIRS_IN_A_BLOCK) - start) / 2)  # by start + num_rows columns
        stop = min(len(texts), start + max(1, num_rows))
        common = _common(coded[start:stop], coded[: stop - 1])  # (queries, pool)
        for row, index in enumerate(range(start, stop)):
            lcs = common[row, :index]
            scores = 2 * lcs / np.maximum(1, lengths[:index] + lengths[index])
            best = [
                (texts[other], f1(int(lcs[other]), len(coded[index]), len(coded[other])), other)
                for other in _largest(scores).tolist()
            ]
            best.sort(key=lambda match: (-match[1], match[2]))
            mean = float(scores.mean(dtype=np.float64)) if index else 0.0
            found.append(Similarity(tuple(match[:2] for match in best[:NUM_MOST_SIMILAR]), mean))
        if progress is not None:
            progress(stop - start)
        start = stop
    return found


def write_most_similar(config: Config, progress: Progress | None = None) -> Path:
    """Write <run_dir>/most_similar.jsonl: every accepted instruction with the two fields of the released code.

    Raises:
        ValueError: the run has no ledger of instructions, or it cannot be read.
    """
    ledger = Path(config.run_dir) / "candidates/instructions.jsonl"
    if not ledger.is_file():
        raise ValueError(f"{ledger}: no such file; `selfinstruct generate` writes it when its first stage is complete")
    seeds = read_seed_tasks(resolve(config.generate.seed_tasks, "seed_tasks"))
    outcomes = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    accepted = [outcome for outcome in outcomes if outcome["verdict"] == KEPT]
    found = similarities(
        [seed.instruction for seed in seeds],
        [outcome["text"] for outcome in accepted],
        progress,
        tokenization_of(config.generate.language, config.generate.method),
    )
    rows = (
        {"id": outcome["id"], "instruction": outcome["text"], **similarity.as_released()}
        for outcome, similarity in zip(accepted, found, strict=True)
    )
    return write_jsonl(Path(config.run_dir) / "most_similar.jsonl", rows)


def nearest_seed(
    instructions: Sequence[str],
    seeds: Sequence[SeedTask],
    progress: Progress | None = None,
    tokenization: Tokenization = "rouge_score",
) -> list[tuple[str, float]]:
    """For each instruction the id of the most similar seed task, the earliest of equals, and their ROUGE-L.

    Raises:
        ValueError: there is no seed task.
    """
    if not seeds:
        raise ValueError("no seed tasks: there is nothing to compare the instructions with")
    coded = encode(map(splitter(tokenization), [*(seed.instruction for seed in seeds), *instructions]))
    pool, queries = coded[: len(seeds)], coded[len(seeds) :]
    lengths = np.array([len(text) for text in pool], np.float32)
    found = []
    size = max(1, _PAIRS_IN_A_BLOCK // len(pool))
    for start in range(0, len(queries), size):
        block = queries[start : start + size]
        for query, lcs in zip(block, _common(block, pool), strict=True):
            scores = 2 * lcs / np.maximum(1, lengths + len(query))
            indices = np.flatnonzero(scores >= scores.max() - _MARGIN).tolist()
            exact = [f1(int(lcs[index]), len(query), len(pool[index])) for index in indices]
            best = max(range(len(indices)), key=lambda i: (exact[i], -indices[i]))
            found.append((seeds[indices[best]].id, exact[best]))
        if progress is not None:
            progress(len(block))
    return found


_MARGIN = 1e-5
"""Scores in 32 bits are this near; which of them is largest is decided in rouge_score's own floats."""


def _common(queries: Sequence[Coded], pool: Sequence[Coded]) -> np.ndarray:
    """Length of the longest common subsequence of each pair; uint16 (queries, pool)."""
    from rapidfuzz.distance import LCSseq
    from rapidfuzz.process import cdist

    common: np.ndarray = cdist(queries, pool, scorer=LCSseq.similarity, dtype=np.uint16, workers=-1)
    return common


def _largest(scores: np.ndarray) -> np.ndarray:
    """Where the largest stand, all equals of the tenth with them; int64."""
    if len(scores) > NUM_MOST_SIMILAR * _STRIP:
        whole = len(scores) - len(scores) % _STRIP
        tops = scores[:whole].reshape(-1, _STRIP).max(axis=1)
        least = np.partition(tops, -NUM_MOST_SIMILAR)[-NUM_MOST_SIMILAR]
    elif len(scores) > NUM_MOST_SIMILAR:
        least = np.partition(scores, -NUM_MOST_SIMILAR)[-NUM_MOST_SIMILAR]
    else:
        return np.arange(len(scores))
    return np.flatnonzero(scores >= least - _MARGIN)
