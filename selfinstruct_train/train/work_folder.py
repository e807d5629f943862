"""The hidden folder of a training's checkpoints: of one plan, for one command at a time, with room on the disk."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.storage import write_json
from .arguments import KEPT_CHECKPOINTS
from .checkpoints import drop_unfinished
from .plan import IDENTITY_FILE, Plan, refuse_other_training

log = logging.getLogger(__name__)

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
