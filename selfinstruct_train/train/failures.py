"""What can end a training that was begun rightly, told in one line with its remedy: memory, disk; in all processes."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..lm.transformers.memory import is_out_of_memory
from .checkpoints import last_whole_checkpoint
from .plan import Plan

log = logging.getLogger(__name__)

_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DISK_WORDS = ("No space left", "File too large", "Disk quota", "inline_container", "PytorchStreamWriter")
"""In messages of safetensors and torch.save, which raise errors of their own."""


def first_does(work: Callable[[], object]) -> None:
    """Let the first process do it. What it refuses, all refuse: one that went on would wait for ever.

    Raises:
        ValueError: in every process, where the first one raised ValueError or OSError.
    """
    from accelerate import PartialState
    from accelerate.utils import broadcast_object_list

    problems = [""]
    cause: Exception | None = None
    if PartialState().is_main_process:
        try:
            work()
        except (ValueError, OSError) as error:
            cause, problems = error, [str(error)]
    broadcast_object_list(problems)
    if problems[0]:
        raise ValueError(problems[0]) from cause


@contextmanager
def in_one_line(plan: Plan) -> Iterator[None]:
    """Turn the errors of full memory and full disks into ValueErrors with a remedy.

    Of several processes any may fail; those that `exit_code_of` keeps silent log their line.
    """
    try:
        yield
    except Exception as error:
        line = _memory_line(error, plan) or _disk_line(error, plan)
        if not line:
            raise
        rank = os.environ.get("RANK", "0")
        if rank != "0":
            log.error("process %s: %s", rank, line)
        raise ValueError(line) from error


def _memory_line(error: Exception, plan: Plan) -> str:
    if not is_out_of_memory(error):
        return ""
    train = plan.config.train
    ways = []
    if train.per_device_batch_size > 1:
        ways.append(f"train.per_device_batch_size below {train.per_device_batch_size}")
    if train.activation_checkpointing != "on":
        ways.append("train.activation_checkpointing: on")
    ways.append("several GPUs under configs/accelerate/fsdp2.yaml")
    others = [f"train.max_length below {train.max_length}"]
    others += {"full": ["train.method: lora or qlora"], "lora": ["train.method: qlora"], "qlora": []}[train.method]
    return (
        f"{plan.mixture}: memory ran out ({first_sentence(error)}); {_kept(plan)} with {', '.join(ways)}; or train "
        f"anew in another run_dir with {', '.join(others)}"
    )


def _disk_line(error: Exception, plan: Plan) -> str:
    is_full = isinstance(error, OSError) and error.errno in _DISK_ERRORS
    if not is_full and not any(words in str(error) for words in _DISK_WORDS):
        return ""
    free = shutil.disk_usage(plan.work).free if plan.work.exists() else 0
    return (
        f"{plan.work}: it could not be written to, for the disk or your share of it is full ({free / 1e9:.2f} GB free: "
        f"{first_sentence(error)}); make room, then {_kept(plan)}"
    )


def _kept(plan: Plan) -> str:
    """What the same command does now."""
    checkpoint = last_whole_checkpoint(plan.work)
    return f"the same command goes on from {checkpoint.name}" if checkpoint else "give the same command again"


def first_sentence(error: BaseException) -> str:
    """Return what an error says first; libraries add paragraphs of advice."""
    return " ".join(str(error).split()).split(". ")[0][:160]
