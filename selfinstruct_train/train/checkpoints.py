"""The hidden work folder of a training and its checkpoints: locked for one command, resumed from the last whole one.

Transformers writes a checkpoint's files one after another, and one that a kill cut short looks much like a whole one.
So a mark is written when all files are on the disk; it holds after a power cut too, and it tells what the training took
until then, over all its commands. Only the marked checkpoints count. What is in a checkpoint is the trainer's affair.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..core.storage import write_json
from .arguments import KEPT_CHECKPOINTS
from .plan import IDENTITY_FILE, Plan, refuse_other_training

log = logging.getLogger(__name__)

MARK = "whole"
LOCK = "lock"
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)


@contextmanager
def work_folder(plan: Plan, checkpoint_bytes: int) -> Iterator[None]:
    """Hold the plan's work folder, made if missing; unfinished checkpoints in it are deleted.

    Args:
        checkpoint_bytes: what one checkpoint is expected to take.

    Raises:
        ValueError: it or the model's folder is of another training, another command holds it, or the disk is too full.
    """
    refuse_other_training(plan)
    plan.work.mkdir(parents=True, exist_ok=True)
    descriptor = _lock(plan.work / LOCK)
    try:
        refuse_other_training(plan)  # again: only now does nobody else change it
        if plan.folder.exists():
            raise ValueError(f"{plan.folder} has just been trained by another command; give yours again")
        drop_unfinished(plan.work)
        shutil.rmtree(plan.work / "finished", ignore_errors=True)
        _check_room(plan.work, checkpoint_bytes)
        write_json(plan.work / IDENTITY_FILE, {"identity": plan.identity})  # without it, good checkpoints are refused
        yield
    finally:
        os.close(descriptor)


def put_in_place(plan: Plan, finished: Path) -> None:
    """Move the whole model to its folder and delete the checkpoints."""
    finished.rename(plan.folder)
    delete_checkpoints(plan)


def delete_checkpoints(plan: Plan) -> None:
    """Delete the work folder of a plan whose model is in place, and what a deletion that was killed left of it.

    It gets another name first: half of it, without the settings, would be refused as another training's.
    """
    deleted = plan.work.with_name(f"{plan.work.name}.deleted")
    shutil.rmtree(deleted, ignore_errors=True)
    if plan.work.exists():
        plan.work.rename(deleted)
        shutil.rmtree(deleted, ignore_errors=True)  # what a network disk still holds open goes with the next command


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


def _lock(path: Path) -> int:
    """Open and lock a file, with this process's number in it; whoever ends, however, lets it go."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise ValueError(
            f"{path}: another command (process {holder}) is training this; wait for it to end, or stop it"
        ) from None
    except OSError as error:  # some shared disks know no locks, Lustre as it is often mounted among them
        if error.errno not in _NO_LOCKS:
            os.close(descriptor)
            raise
        log.warning("%s: this disk has no locks (%s); see to it that no second command trains this", path, error)
    if not path.exists() or not os.path.samestat(os.fstat(descriptor), path.stat()):  # deleted by one that has ended
        os.close(descriptor)
        path.parent.mkdir(parents=True, exist_ok=True)
        return _lock(path)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def _check_room(folder: Path, checkpoint_bytes: int) -> None:
    """One checkpoint more than is kept must fit: the oldest goes when the newest is written."""
    used = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    needed = checkpoint_bytes * (KEPT_CHECKPOINTS + 1)
    free = shutil.disk_usage(folder).free
    if needed > used + free:
        raise ValueError(
            f"{folder}: {KEPT_CHECKPOINTS + 1} checkpoints of about {checkpoint_bytes / 1e9:.1f} GB need "
            f"{needed / 1e9:.1f} GB, and the disk has {free / 1e9:.1f} GB free; make room, or choose another run_dir"
        )
