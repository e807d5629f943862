"""A language model by rule, for whole generation runs in milliseconds, and a small world of files to run it in.

Its answer is a function of prompt and seed, as a real backend's. Run as a program it makes a generation run that
another process may kill: `scripted_lm.py WORLD RUN_DIR ASKED_FILE SECONDS_PER_CHUNK CHUNK_SIZE`.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from selfinstruct_train.config import Config, GenerateConfig
from selfinstruct_train.lm.base import OnAnswer
from selfinstruct_train.types import Completion, Request, Sampling

VERBS = ["Name", "Describe", "Compare", "List", "Explain", "Translate", "Rank", "Praise", "Summarise", "Invent"]
THINGS = [
    "three rivers", "a kind of bread", "two old songs", "the colours", "some tools", "a story from Paris",
    "your street", "the moods of cats", "four ways to save water", "names for a ship", "rules of a game",
    "letters to a friend",
]  # fmt: skip
TAILS = [
    "for a child who asks", "in one short sentence", "and say why they matter", "as Anna from Rome would do it",
    "without using the word good", "so that nobody laughs", "for the morning news", "in the order of their age",
]  # fmt: skip
BAD = ["Too short", "Draw a red house on paper", "Write a program that counts sheep", "(see above) what is meant here"]


class ScriptedLM:
    """Writes lists of tasks, says Yes or No, and writes examples; notes every request id in `asked`."""

    name = "scripted"

    def __init__(self, chunk_size: int = 4, asked_file: Path | None = None, seconds_per_chunk: float = 0.0) -> None:
        self.chunk_size = chunk_size
        self.asked: list[str] = []
        self.samplings: dict[str, Sampling] = {}
        self.prompts: dict[str, str] = {}
        self._asked_file = asked_file
        self._seconds_per_chunk = seconds_per_chunk

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        self.asked += [r.id for r in requests]
        self.samplings |= {r.id: sampling for r in requests}
        self.prompts |= {r.id: r.prompt for r in requests}
        if self._asked_file is not None:
            with self._asked_file.open("a") as file:
                file.write("".join(r.id + "\n" for r in requests))
        time.sleep(self._seconds_per_chunk)
        return [self.answer(r) for r in requests]

    def answer(self, request: Request) -> Completion:
        digest = hashlib.sha256(f"{request.seed} {request.prompt}".encode()).digest()
        rng = random.Random(int.from_bytes(digest[:8], "big"))
        if request.prompt.endswith("Is it classification?"):
            text = rng.choice([" Yes", " No", " No", " No", " Perhaps"])
        elif "Class label:" in request.prompt:
            text = "".join(f"Class label: {rng.choice('ABC')}\nText: thing {rng.randrange(9)}\n" for _ in range(7))
        elif request.prompt.startswith("Come up with"):
            text = tasks(rng)
        else:
            text = "\n\n".join(
                f"Example {i}\nInput: place {rng.randrange(99)}\nOutput: answer {rng.randrange(99)}" for i in (1, 2, 3)
            )
        finish_reason = "length" if rng.random() < 0.2 else "stop"
        return Completion(request.id, text, finish_reason, len(request.prompt.split()), len(text.split()))


def tasks(rng: random.Random) -> str:
    items = [f"{rng.choice(VERBS)} {rng.choice(THINGS)} {rng.choice(TAILS)}." for _ in range(rng.randrange(2, 6))]
    items.insert(rng.randrange(len(items)), rng.choice(BAD))
    return " " + "".join(item + ("" if i == len(items) - 1 else f"\n{i + 10}. ") for i, item in enumerate(items))


def write_world(folder: Path) -> None:
    """Write ten seed tasks and the three templates."""
    seeds = [
        {
            "id": f"seed-{i}",
            "instruction": f"Task number {i} is to think about {THINGS[i]} for a while",
            "instances": [{"input": "" if i % 2 else f"input {i}", "output": f"output {i}"}],
            "is_classification": i == 3,
        }
        for i in range(10)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "seeds.jsonl").write_text("".join(json.dumps(s) + "\n" for s in seeds))
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates/classification.txt").write_text("Task: Sort it.\nIs it classification? Yes\n\nTask:")
    (folder / "templates/input_first.txt").write_text("Task: Add.\nExample 1\nInput: 1 1\nOutput: 2\n\nTask:\n")
    (folder / "templates/output_first.txt").write_text("Task: Sort it.\nClass label: A\nText: x\n\nTask:")


def make_config(folder: Path, run_dir: Path, **generate: object) -> Config:
    settings = {
        "seed_tasks": str(folder / "seeds.jsonl"),
        "templates": str(folder / "templates"),
        "num_instructions": 60,
        **generate,
    }
    return Config(run_dir=str(run_dir), seed=7, generate=GenerateConfig(**settings))  # type: ignore[arg-type]


if __name__ == "__main__":
    from selfinstruct_train.generate.run import generate, prepare

    world, run_dir, asked_file = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    generate(
        prepare(make_config(world, run_dir)),
        ScriptedLM(int(sys.argv[5]), asked_file, float(sys.argv[4])),
    )
