"""How fast answers are scored: python -m benchmarks.scoring [--rows ROWS.jsonl]

As many answers as the official split has (119 tasks of 100), against one to three references each, by metrics.py; and
a part of the same by rouge_score in Tk-Instruct's way: a scorer made for every pair and metric, and the Python loop for
the longest common subsequence. The texts are outputs of instruction data, of the built-in little world without --rows;
half of the answers are a reference with some words changed, half are another text. Times are of the processor, not the
wall, so that other work on the machine counts little.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

from benchmarks.machine import describe_machine
from selfinstruct_eval.metrics import normalize_answer, score_each
from selfinstruct_train.core.names import METRICS

NUM_ANSWERS = 11_900
NUM_COMPARED = 300
"""Of these rouge_score is asked; all would take it minutes."""


def read_outputs(path: str | None) -> list[str]:
    if path is None:
        from selfinstruct_eval.tasks import load_tasks

        return [e.references[0] for e in load_tasks("builtin:tiny")] + [e.input for e in load_tasks("builtin:tiny")]
    from selfinstruct_train.core.row_files import read_records

    return [row["output"] for _, row in read_records(Path(path))]


def make_pairs(outputs: list[str]) -> tuple[list[str], list[list[str]]]:
    rng = random.Random(0)
    texts = [text for text in outputs if text.strip()]
    answers, references = [], []
    for _ in range(NUM_ANSWERS):
        right = rng.sample(texts, rng.randint(1, 3))
        words = right[0].split()
        changed = [word if rng.random() < 0.7 else rng.choice(words) for word in words]
        answers.append(" ".join(changed) if rng.random() < 0.5 else rng.choice(texts))
        references.append(right)
    return answers, references


def by_rouge_score(answers: list[str], references: list[list[str]]) -> list[tuple[float, ...]]:
    from rouge_score.rouge_scorer import RougeScorer

    def rouge(metric: str, answer: str, reference: str) -> float:
        return float(RougeScorer([metric], use_stemmer=True).score(reference, answer)[metric].fmeasure)

    rows = []
    for answer, right in zip(answers, references, strict=True):
        scores = [max(rouge(metric, answer, r) for r in right) for metric in METRICS[:2]]
        exact = max(float(normalize_answer(answer) == normalize_answer(r)) for r in right)
        rows.append((*(100 * s for s in scores), 100 * exact))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows")
    answers, references = make_pairs(read_outputs(parser.parse_args().rows))
    print(describe_machine())
    score_each(answers[:1], references[:1])  # imports nltk, which both need and which takes its seconds once
    start = time.process_time()
    ours = score_each(answers, references)
    seconds = time.process_time() - start
    start = time.process_time()
    theirs = by_rouge_score(answers[:NUM_COMPARED], references[:NUM_COMPARED])
    seconds_there = (time.process_time() - start) * NUM_ANSWERS / NUM_COMPARED
    gap = max(abs(a - b) for row, other in zip(ours, theirs, strict=False) for a, b in zip(row, other, strict=True))
    words = sum(len(text.split()) for text in answers) / len(answers)
    print(f"{NUM_ANSWERS:,} answers of {words:.0f} words, {sum(map(len, references)):,} references")
    print(f"metrics.py   {seconds:7.2f} s")
    print(
        f"rouge_score  {seconds_there:7.2f} s, from {NUM_COMPARED} of them; the largest difference of a score {gap:.1e}"
    )
    print(f"ratio        {seconds_there / seconds:7.1f}")


if __name__ == "__main__":
    main()
