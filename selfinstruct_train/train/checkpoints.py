"""Checkpoints that can be trusted: a mark tells that one was written to its end; training resumes from the last such.

Transformers writes a checkpoint's files one after another; one cut short by a kill looks much like a whole one. The
mark is set when the files are on the disk, so that it holds after a power cut too.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

MARK = "whole"


def last_whole_checkpoint(work: Path) -> Path | None:
    """Return the checkpoint folder with the highest step that was written to its end."""
    found = [folder for folder in work.glob("checkpoint-*") if (folder / MARK).exists()]
    return max(found, key=step_of, default=None)


def drop_unfinished(work: Path) -> None:
    """Delete checkpoints that were cut short."""
    for folder in work.glob("checkpoint-*"):
        if not (folder / MARK).exists():
            shutil.rmtree(folder)


def mark_whole() -> Any:
    """Return a Trainer callback that marks each checkpoint once every process has written its part."""
    from transformers import TrainerCallback

    class MarkWhole(TrainerCallback):
        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            args.distributed_state.wait_for_everyone()
            if state.is_world_process_zero:
                folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
                bring_to_disk(folder)
                (folder / MARK).touch()

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
