"""A language model by rule, for whole generation runs in milliseconds, and a small world of files to run it in.

Its answer is a function of prompt and seed, as a real backend's. Run as a program it makes a generation run that
another process may kill: `scripted_lm.py WORLD RUN_DIR ASKED_FILE SECONDS_PER_CHUNK CHUNK_SIZE`. With RUN_DIR - it
imports all there is, and for each line "RUN_DIR EVENTS_FILE" on its standard input begins a run in a child of its own,
whose process id it prints; at the next line it waits for that child and prints its exit status.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from selfinstruct_train.config import Config, GenerateConfig
from selfinstruct_train.core.records import Completion, Request, Sampling
from selfinstruct_train.lm.base import OnAnswer

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


class TellingLM(ScriptedLM):
    """Answers one request after the other and tells of each; writes down what was asked and what it gave away."""

    def __init__(self, events_file: Path, seconds_per_answer: float = 0.003) -> None:
        super().__init__(chunk_size=4)
        self._events_file, self._seconds = events_file, seconds_per_answer

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        assert on_answer is not None
        answers = []
        with self._events_file.open("a") as events:
            for request in requests:
                print("asked", request.id, file=events, flush=True)
                time.sleep(self._seconds)
                answers.append(self.answer(request))
                print("given", request.id, file=events, flush=True)
                on_answer(answers[-1:])
        return answers


def serve_runs(world: Path) -> None:
    """Begin the runs that the standard input names; see the top of this file."""
    from selfinstruct_train.generate.pipeline import generate, prepare

    child = 0
    for line in sys.stdin:
        if not line.strip():
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        run_dir, events_file = map(Path, line.split())
        child = os.fork()
        if child == 0:
            try:
                generate(prepare(make_config(world, run_dir)), TellingLM(events_file))
                os._exit(0)
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
        print(child, flush=True)


if __name__ == "__main__" and sys.argv[2] == "-":
    serve_runs(Path(sys.argv[1]))
elif __name__ == "__main__":
    from selfinstruct_train.generate.pipeline import generate, prepare

    world, run_dir, asked_file = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    generate(
        prepare(make_config(world, run_dir)),
        ScriptedLM(int(sys.argv[5]), asked_file, float(sys.argv[4])),
    )
