"""The novelty index against its alternatives: python -m benchmarks.novelty [--data FILE]

1. The same verdicts as rouge_score, on the first 5,000 instructions (each pair that could be above the threshold by its
   shared words and both lengths goes to rouge_score; the others cannot be).
2. --num instructions come in one after the other: real ones, then variations of them (words exchanged for words of
   other instructions); then on, until --num are novel. Beside ours in one process a full rapidfuzz scan on all cores
   and rouge_score, both timed on a sample of the pairs and extrapolated.
3. Time of one decision at pools of 10^3 to --pool texts, all put in unfiltered; of the processor, not the wall, so that
   other work on the machine counts little.

The data: any JSONL with a field "instruction", e.g. the 5,000 rows of zjunlp/EasyInstruct (Self-Instruct output).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sys
import time
from pathlib import Path

DATA = Path(__file__).parents[2] / "shared/data/self_instruct_5k.jsonl"
THRESHOLD = 0.7
NUM_PROBES = 2000


def main() -> int:
    from benchmarks.machine import describe_machine

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--num", type=int, default=52_445)
    parser.add_argument("--pool", type=int, default=1_000_000)
    args = parser.parse_args()
    if not args.data.is_file():
        print(f"error: {args.data} is not there; give --data a JSONL file of instructions", file=sys.stderr)
        return 2
    real = [json.loads(line)["instruction"] for line in args.data.read_text(encoding="utf-8").splitlines()]
    print(describe_machine())
    same = compare_verdicts(real[:5000])
    come_in(variations(real, 2 * args.num), args.num)
    curve(variations(real, args.pool + NUM_PROBES))
    return 0 if same else 1


def variations(real: list[str], num: int) -> list[str]:
    """The real texts, then copies of them with a tenth to seven tenths of their words exchanged."""
    rng = random.Random(0)
    words = [word for text in real for word in text.split()]
    texts = real[:num]
    while len(texts) < num:
        share = rng.choice((0.1, 0.3, 0.5, 0.7))
        kept = rng.choice(real).split()
        texts.append(" ".join(rng.choice(words) if rng.random() < share else word for word in kept))
    return texts


def compare_verdicts(texts: list[str]) -> bool:
    from collections import Counter

    from rouge_score import rouge_scorer, tokenize

    from selfinstruct_train.generate.novelty import NoveltyIndex

    scorer, index = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False), NoveltyIndex(THRESHOLD)
    pool: list[tuple[str, Counter[str], int]] = []
    num_different = 0
    for text in texts:
        count = Counter(tokenize.tokenize(text, None))
        length = count.total()
        is_novel = True
        for other, other_count, other_length in pool:
            reach = THRESHOLD * (length + other_length) / 2 - 1e-6
            if min(length, other_length) >= reach and (count & other_count).total() >= reach:
                is_novel &= scorer.score(text, other)["rougeL"].fmeasure <= THRESHOLD
        num_different += index.is_novel(text) != is_novel
        if is_novel:
            pool.append((text, count, length))
            index.add(text)
    print(
        f"verdicts on {len(texts):,} real instructions: {num_different} differ from rouge_score's ({len(pool):,} kept)"
    )
    return num_different == 0


def come_in(texts: list[str], num: int) -> None:
    from rapidfuzz.distance import LCSseq
    from rapidfuzz.process import cdist
    from rouge_score import rouge_scorer

    from selfinstruct_train.core.rouge import encode, rouge_words
    from selfinstruct_train.generate.novelty import NoveltyIndex

    index = NoveltyIndex(THRESHOLD)
    start, wall = time.process_time(), time.perf_counter()
    kept = []
    for text in texts[:num]:
        if index.check(text) is None:
            index.add(text)
            kept.append(text)
    ours, our_wall = time.process_time() - start, time.perf_counter() - wall
    num_come = len(texts)
    for place, text in enumerate(texts[num:], num):
        if len(index) == num:
            num_come = place
            break
        if index.check(text) is None:
            index.add(text)
    more, more_wall = time.process_time() - start, time.perf_counter() - wall
    texts = texts[:num]
    num_pairs = len(kept) ** 2 // 2 + (len(texts) - len(kept)) * len(kept) // 2  # about: each against the pool so far
    mean = sum(len(text.split()) for text in texts) / len(texts)
    print(f"{len(texts):,} instructions come in, {mean:.1f} words each; {len(kept):,} are novel; {num_pairs:.2e} pairs")
    print(f"  {'':<40}{'CPU s':>12}{'wall s':>12}{'ratio':>10}")
    row("ours, one process", ours, our_wall, ours)
    row(f"ours, until {len(index):,} of {num_come:,} are novel", more, more_wall, ours)

    coded = encode(map(rouge_words, texts))
    pool, sample = coded[: len(kept)], coded[:: max(1, len(coded) // 512)]
    start, wall = time.process_time(), time.perf_counter()
    cdist(sample, pool, scorer=LCSseq.similarity, workers=-1)
    scale = num_pairs / (len(sample) * len(pool))
    scan, scan_wall = (time.process_time() - start) * scale, (time.perf_counter() - wall) * scale
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    row(f"rapidfuzz cdist, all pairs, {cores} cores *", scan, scan_wall, ours)

    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
    rng = random.Random(0)
    pairs = [(rng.choice(texts), rng.choice(kept)) for _ in range(3000)]
    start, wall = time.process_time(), time.perf_counter()
    for text, other in pairs:
        scorer.score(other, text)
    scale = num_pairs / len(pairs)
    row("rouge_score pair by pair *", (time.process_time() - start) * scale, (time.perf_counter() - wall) * scale, ours)
    print("  * measured on a sample of the pairs and extrapolated")


def row(name: str, seconds: float, wall: float, ours: float) -> None:
    print(f"  {name:<40}{seconds:12,.1f}{wall:12,.1f}{seconds / ours:9,.1f}x")


def curve(texts: list[str]) -> None:
    from selfinstruct_train.generate.novelty import NoveltyIndex

    texts, probes = texts[:-NUM_PROBES], texts[-NUM_PROBES:]
    sizes = [size for size in (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000) if size < len(texts)]
    index = NoveltyIndex(THRESHOLD)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{'pool':>10}{'add us':>9}{'mean us':>10}{'median us':>11}{'99 % us':>10}{'worst us':>10}{'too similar':>13}"
    )
    for size in [*sizes, len(texts)]:
        start, num_added = time.thread_time(), size - len(index)
        for text in texts[len(index) : size]:
            index.add(text)
        add = (time.thread_time() - start) / num_added
        taken, num_similar = [], 0
        for text in probes:
            start = time.thread_time()
            num_similar += not index.is_novel(text)
            taken.append(time.thread_time() - start)
        taken.sort()
        figures = [add, sum(taken) / len(taken), taken[len(taken) // 2], taken[len(taken) * 99 // 100], taken[-1]]
        widths = (9, 10, 11, 10, 10)
        line = "".join(f"{figure * 1e6:{width},.0f}" for figure, width in zip(figures, widths, strict=True))
        print(f"{size:>10,}{line}{num_similar / len(probes):>13.0%}", flush=True)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024  # Linux: kilobytes
    print(f"memory of the index at {len(texts):,} texts: {grown:,.0f} MB beside the texts themselves")


if __name__ == "__main__":
    raise SystemExit(main())
