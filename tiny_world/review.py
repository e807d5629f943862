"""Review a run's generated instances by the world's own truth, as the paper's authors did by hand for 200 (table 2).

Valid task: the instruction reads as a wording of some kind of task. Input appropriate: the task can be done on it. Output correct:
the kind's rule accepts it. Every generated instance is reviewed; writes <run_dir>/review.json and <run_dir>/candidates/review.jsonl.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path

from selfinstruct_train.cli import exit_code_of
from selfinstruct_train.config.load import load_config
from selfinstruct_train.core.stats import wilson_interval
from selfinstruct_train.core.storage import write_jsonl, write_text
from tiny_world.kind import Kind, Verdict, read_back
from tiny_world.kinds import NEAR

FIELD_NAME = re.compile(r"^\w+: ")  # "Sentence: ..." is as good an input as the sentence


@lru_cache(maxsize=1)  # an instruction's instances follow each other
def _readings(instruction: str) -> list[tuple[Kind, dict[str, str]]]:
    return read_back(instruction, NEAR)


def review(instruction: str, input: str, output: str) -> tuple[Kind | None, Verdict]:
    """Judge one instance; where an instruction reads as several kinds, the kindest verdict counts."""
    best: tuple[Kind | None, Verdict] = (None, Verdict(False, False))
    for kind, groups in _readings(instruction):
        slots = {k: v for k, v in groups.items() if k != "input"}
        if "input" in groups:  # the instruction holds its input: the field must be empty
            verdict = kind.judge(groups["input"], output, slots) if not input.strip() else Verdict(False, False)
        else:
            verdict = max(
                (kind.judge(text, output, slots) for text in (input, FIELD_NAME.sub("", input))),
                key=lambda v: (v.input_ok, v.output_ok),
            )
        if best[0] is None or (verdict.input_ok + verdict.output_ok) > (best[1].input_ok + best[1].output_ok):
            best = (kind, verdict)
    return best


def wilson(successes: int, n: int) -> list[float]:
    """95 % interval of a share, in percent; 0 to 0 of nothing."""
    return [round(100 * end, 1) for end in wilson_interval(successes / n, n)] if n else [0.0, 0.0]


def main() -> None:
    config = load_config(sys.argv[1:])
    run_dir = Path(config.run_dir)
    import pyarrow.parquet as pq

    path = run_dir / "dataset" / "train.parquet"
    if not path.exists():
        sys.exit(f"error: {path} does not exist; run `selfinstruct generate` first")
    rows = [row for row in pq.read_table(path).to_pylist() if row["source"] == "generated"]
    counts: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    reviewed = []
    for row in rows:
        kind, verdict = review(row["instruction"], row["input"], row["output"])
        flags = {
            "valid_task": kind is not None,
            "input_appropriate": verdict.input_ok,
            "output_correct": verdict.output_ok,
            "all": kind is not None and verdict.input_ok and verdict.output_ok,
        }
        counts.update(name for name, ok in flags.items() if ok)
        kinds[kind.name if kind else "none"] += 1
        reviewed.append({"id": row["id"], "kind": kind.name if kind else None, **flags})
    n = len(rows)
    names = ("valid_task", "input_appropriate", "output_correct", "all")
    percent = {name: round(100 * counts[name] / n, 1) if n else 0.0 for name in names}
    result = {
        "reviewer": "the little world's own truth",
        "n": n,
        "percent": percent,
        "interval": {name: wilson(counts[name], n) for name in names},
        "num_kinds": len([k for k in kinds if k != "none"]),
        "dataset_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    write_jsonl(run_dir / "candidates" / "review.jsonl", reviewed)
    write_text(run_dir / "review.json", json.dumps(result, indent=2) + "\n")
    shares = ", ".join(f"{name.replace('_', ' ')} {percent[name]} %" for name in names)
    print(
        f"review of {n} instances of {result['num_kinds']} kinds by the world's truth: {shares} -> {run_dir / 'review.json'}"
    )


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
