"""Checkpoints that can be trusted: a mark tells that one was written to its end; training resumes from the last such.

Transformers writes a checkpoint's files one after another; one cut short by a kill looks much like a whole one. The
mark is set when the files are on the disk, so that it holds after a power cut too. In it stands what the training
took until then, over all its commands.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core.storage import write_json

MARK = "whole"


@dataclass(frozen=True)
class Taken:
    """What a training took: when its first command began, and the seconds and commands that led to its state."""

    started: str
    seconds: float
    commands: int = 1


class Clock:
    """Counts on from the checkpoint that a training resumes from: steps that are done again count once."""

    def __init__(self, checkpoint: Path | None) -> None:
        self._began = time.monotonic()
        text = "" if checkpoint is None else (checkpoint / MARK).read_text(encoding="utf-8")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._before = Taken(**json.loads(text)) if text else Taken(now, 0.0, 0)

    def read(self) -> Taken:
        """Return what was taken until now."""
        seconds = self._before.seconds + time.monotonic() - self._began
        return Taken(self._before.started, round(seconds, 1), self._before.commands + 1)


def last_whole_checkpoint(work: Path) -> Path | None:
    """Return the checkpoint folder with the highest step that was written to its end."""
    found = [folder for folder in work.glob("checkpoint-*") if (folder / MARK).exists()]
    return max(found, key=step_of, default=None)


def drop_unfinished(work: Path) -> None:
    """Delete checkpoints that were cut short."""
    for folder in work.glob("checkpoint-*"):
        if not (folder / MARK).exists():
            shutil.rmtree(folder)


def find_best_again(checkpoint: Path) -> None:
    """Let a checkpoint name the best one where it lies now; elsewhere, the trainer would quietly do without it."""
    file = checkpoint / "trainer_state.json"
    state = json.loads(file.read_text(encoding="utf-8"))
    best = checkpoint.parent / f"checkpoint-{state['best_global_step']}"
    if state["best_model_checkpoint"] not in (None, str(best)) and best.exists():
        write_json(file, state | {"best_model_checkpoint": str(best)})


def mark_whole(clock: Clock) -> Any:
    """Return a Trainer callback that marks each checkpoint once every process has written its part."""
    from transformers import TrainerCallback

    class MarkWhole(TrainerCallback):
        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            args.distributed_state.wait_for_everyone()
            if state.is_world_process_zero:
                folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
                bring_to_disk(folder)
                unfinished = folder / f".{MARK}"
                unfinished.write_text(json.dumps(asdict(clock.read())), encoding="utf-8")
                unfinished.rename(folder / MARK)

    return MarkWhole()


def step_of(folder: Path) -> int:
    """Read the optimizer step off a checkpoint's name."""
    return int(folder.name.rpartition("-")[2])


def bring_to_disk(folder: Path) -> None:
    """Wait until the content of all files below a folder is on the disk."""
    for file in folder.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
