"""Checkpoints that can be trusted: a mark tells that one was written to its end; training resumes from the last such.

Transformers writes a checkpoint's files one after another; one cut short by a kill looks much like a whole one.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tqdm import tqdm

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
                (Path(args.output_dir) / f"checkpoint-{state.global_step}" / MARK).touch()

    return MarkWhole()


def progress_bar(description: str) -> Any:
    """Return a Trainer callback that shows steps and the latest loss in one line."""
    from transformers import TrainerCallback

    class ProgressBar(TrainerCallback):
        bar: Any = None

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.is_world_process_zero:
                self.bar = tqdm(total=state.max_steps, initial=state.global_step, desc=description, unit="step")

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if self.bar is not None:
                self.bar.update(state.global_step - self.bar.n)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            if self.bar is not None and "loss" in (logs or {}):
                self.bar.set_postfix(loss=f"{float(logs['loss']):.3f}")

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if self.bar is not None:
                self.bar.close()

    return ProgressBar()


def step_of(folder: Path) -> int:
    """Read the optimizer step off a checkpoint's name."""
    return int(folder.name.rpartition("-")[2])
