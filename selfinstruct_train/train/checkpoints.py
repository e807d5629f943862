"""The hidden work folder of a training: locked by one command at a time, with checkpoints that can be trusted.

Transformers writes a checkpoint's files one after another, and after a kill an incomplete checkpoint looks much like a
complete one. So a mark is written after all files are on the disk, which holds after a power cut too. The mark records
the time and the number of commands until then. Training resumes from the last marked checkpoint; unmarked ones are
deleted. The trainer alone decides what a checkpoint holds.
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
    """Lock the plan's work folder, create it if missing, and delete unfinished checkpoints in it.

    Args:
        checkpoint_bytes: the expected size of one checkpoint.

    Raises:
        ValueError: it or the model's folder belongs to another training, another command holds it, or the disk is too
            full.
    """
    refuse_other_training(plan)
    plan.work.mkdir(parents=True, exist_ok=True)
    descriptor = _lock(plan.work / LOCK)
    try:
        refuse_other_training(plan)  # again: only now can no other command change it
        if plan.folder.exists():
            raise ValueError(f"{plan.folder} has just been trained by another command; run your command again")
        drop_unfinished(plan.work)
        shutil.rmtree(plan.work / "finished", ignore_errors=True)
        _check_room(plan.work, checkpoint_bytes)
        write_json(
            plan.work / IDENTITY_FILE, {"identity": plan.identity}
        )  # without this file, good checkpoints would be refused
        yield
    finally:
        os.close(descriptor)


def put_in_place(plan: Plan, finished: Path) -> None:
    """Move the finished model to its folder and delete the checkpoints."""
    finished.rename(plan.folder)
    delete_checkpoints(plan)


def delete_checkpoints(plan: Plan) -> None:
    """Delete the work folder of a plan whose model is in its folder, also after an earlier deletion was killed.

    The folder is renamed first: a partly deleted one without its settings would be refused as another training's.
    """
    deleted = plan.work.with_name(f"{plan.work.name}.deleted")
    shutil.rmtree(deleted, ignore_errors=True)
    if plan.work.exists():
        plan.work.rename(deleted)
        shutil.rmtree(deleted, ignore_errors=True)  # the next command deletes what a network disk still holds open


@dataclass(frozen=True)
class Taken:
    """The cost of a training: when its first command began, and the seconds and commands until its current state."""

    started: str
    seconds: float
    commands: int = 1


class Clock:
    """The time of a training over all its commands; steps that are repeated after a resume count once."""

    def __init__(self, checkpoint: Path | None) -> None:
        self._began = time.monotonic()
        text = "" if checkpoint is None else (checkpoint / MARK).read_text(encoding="utf-8")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._before = Taken(**json.loads(text)) if text else Taken(now, 0.0, 0)

    def read(self) -> Taken:
        """Return the cost until now."""
        seconds = self._before.seconds + time.monotonic() - self._began
        return Taken(self._before.started, round(seconds, 1), self._before.commands + 1)


def last_whole_checkpoint(work: Path) -> Path | None:
    """Return the complete checkpoint with the highest step."""
    found = [folder for folder in work.glob("checkpoint-*") if (folder / MARK).exists()]
    return max(found, key=step_of, default=None)


def drop_unfinished(work: Path) -> None:
    """Delete incomplete checkpoints."""
    for folder in work.glob("checkpoint-*"):
        if not (folder / MARK).exists():
            shutil.rmtree(folder)


def find_best_again(checkpoint: Path) -> None:
    """Write the current path of the best checkpoint into a checkpoint, for a run directory that was moved.

    The trainer would silently load no best model if the path did not exist.
    """
    file = checkpoint / "trainer_state.json"
    state = json.loads(file.read_text(encoding="utf-8"))
    best = checkpoint.parent / f"checkpoint-{state['best_global_step']}"
    if state["best_model_checkpoint"] not in (None, str(best)) and best.exists():
        write_json(file, state | {"best_model_checkpoint": str(best)})


def step_of(folder: Path) -> int:
    """Return the optimizer step in a checkpoint's name."""
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
    """Open and lock a file and write this process's id into it; the lock ends with the process, however it ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise ValueError(
            f"{path}: another command (process {holder}) is training this; wait for it to end, or stop it"
        ) from None
    except OSError as error:  # some shared disks have no locks, e.g. Lustre in its usual configuration
        if error.errno not in _NO_LOCKS:
            os.close(descriptor)
            raise
        log.warning("%s: this disk has no locks (%s); make sure that no second command trains this", path, error)
    if not path.exists() or not os.path.samestat(
        os.fstat(descriptor), path.stat()
    ):  # deleted by a command that has ended
        os.close(descriptor)
        path.parent.mkdir(parents=True, exist_ok=True)
        return _lock(path)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def _check_room(folder: Path, checkpoint_bytes: int) -> None:
    """Refuse a disk without room for one checkpoint more than is kept: the oldest is deleted last."""
    used = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    needed = checkpoint_bytes * (KEPT_CHECKPOINTS + 1)
    free = shutil.disk_usage(folder).free
    if needed > used + free:
        raise ValueError(
            f"{folder}: {KEPT_CHECKPOINTS + 1} checkpoints of about {checkpoint_bytes / 1e9:.1f} GB need "
            f"{needed / 1e9:.1f} GB, and the disk has {free / 1e9:.1f} GB free; make room, or choose another run_dir"
        )
