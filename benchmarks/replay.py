"""How long a finished journal takes to become its dataset again: python -m benchmarks.replay [--num 50000]

A made-up model fills the journals of a whole run in a temporary folder (not timed). Then a fresh process replays them:
time from its start to the written dataset, model asked: never. Instructions are of 16 words on average, drawn from a
vocabulary with the frequencies of a natural text; prompts are those of builtin:english. --profile shows where it goes.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import math
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import describe_machine
from selfinstruct_train.config import Config, GenerateConfig
from selfinstruct_train.core.records import Completion

NUM_WORDS = 20_000
CONSONANTS, VOWELS = "bcdfghklmnprstvw", "aeiou"


class MadeUpLM:
    """Writes tasks, a yes or no, or examples, by the request's seed alone; refuses if it is not to be asked."""

    name = "made up"
    chunk_size = 4096

    def __init__(self, may_answer: bool = True) -> None:
        syllables = [a + b for a in CONSONANTS for b in VOWELS]
        self.words = ["".join(w) for w in itertools.islice(itertools.product(syllables, repeat=2), NUM_WORDS)]
        random.Random(0).shuffle(self.words)
        weights = [1 / (rank + 2.7) for rank in range(len(self.words))]  # Zipf-Mandelbrot
        self.cumulative = list(itertools.accumulate(weights))
        self.may_answer = may_answer

    def complete(self, requests, sampling, on_answer=None):  # type: ignore[no-untyped-def]
        assert self.may_answer, "a replay asked the model"
        return [self.answer(request) for request in requests]

    def answer(self, request) -> Completion:  # type: ignore[no-untyped-def]
        rng = random.Random(int.from_bytes(hashlib.sha256(str(request.seed).encode()).digest()[:8], "big"))
        if request.id.startswith("instructions"):
            items = [self.sentence(rng, 16) for _ in range(7)]
            items.append(items[0].rsplit(" ", 1)[0] + " again.")  # too similar
            text = " " + "".join(item + f"\n{i}. " for i, item in enumerate(items, start=10)) + "Too short"
        elif request.id.startswith("classification"):
            text = rng.choice([" Yes", " No", " No", " No"])
        elif "Class label:" in request.prompt[-3000:]:
            text = "".join(f"Class label: {self.sentence(rng, 2)}\nText: {self.sentence(rng, 12)}\n" for _ in range(2))
        else:
            text = f"Example 1\nInput: {self.sentence(rng, 12)}\nOutput: {self.sentence(rng, 19)}"
        return Completion(request.id, text, "stop", len(request.prompt) // 4, len(text) // 4)

    def sentence(self, rng: random.Random, mean: int) -> str:
        length = max(4, min(60, round(rng.gammavariate(4, mean / 4))))
        return " ".join(rng.choices(self.words, cum_weights=self.cumulative, k=length)).capitalize() + "."


def run(folder: Path, num: int, may_answer: bool):  # type: ignore[no-untyped-def]
    from selfinstruct_train.generate.pipeline import generate, prepare

    config = Config(run_dir=str(folder), generate=GenerateConfig(num_instructions=num))
    return generate(prepare(config), MadeUpLM(may_answer))


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the replay of a finished run.")
    parser.add_argument("--num", type=int, default=50_000, help="accepted instructions")
    parser.add_argument("--folder", type=Path, help="keep the run here, and take it from here if it is there")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--replay", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.replay:
        if args.profile:
            import cProfile

            cProfile.runctx("run(args.folder, args.num, False)", globals(), locals(), sort="tottime")
        else:
            run(args.folder, args.num, False)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary) / "run"
        if not (folder / "dataset/train.parquet").exists():
            start = time.perf_counter()
            run(folder, args.num, True)
            print(f"made the journals in {time.perf_counter() - start:.0f} s")
        before = hashlib.sha256((folder / "dataset/train.parquet").read_bytes()).hexdigest()
        command = [
            sys.executable,
            "-m",
            "benchmarks.replay",
            "--replay",
            "--folder",
            str(folder),
            "--num",
            str(args.num),
        ]
        command += ["--profile"] if args.profile else []
        seconds = []
        for _ in range(1 if args.profile else 3):
            start = time.perf_counter()
            subprocess.run(command, check=True)
            seconds.append(time.perf_counter() - start)
        assert hashlib.sha256((folder / "dataset/train.parquet").read_bytes()).hexdigest() == before
        journals = sorted((folder / "journal").glob("*.jsonl"))
        num_answers = sum(path.read_bytes().count(b"\n") - 1 for path in journals)
        size = sum(path.stat().st_size for path in journals)
        print(describe_machine())
        print(f"{args.num:,} instructions, {num_answers:,} answers, {size / 2**20:,.0f} MiB of journals")
        print(f"replay to the same dataset, start of Python included: {min(seconds):.1f} s (best of {len(seconds)})")
        print(f"{math.ceil(num_answers / min(seconds)):,} answers a second, none asked of a model")


if __name__ == "__main__":
    main()
