"""Failures of a running training: full memory and full disks become one line with a remedy, in every process.

Other errors pass through unchanged. Settings that can be refused before a training are not checked here.
"""

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
"""Words in the messages of safetensors and torch.save, which raise errors of their own classes."""


def first_does(work: Callable[[], object]) -> None:
    """Let the first process do the work, and raise its error in all: a process that went on alone would wait for ever.

    Raises:
        ValueError: in every process, if the first one raised ValueError or OSError.
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
    """Turn errors of full memory and full disks into ValueErrors with a remedy.

    Any process may fail. `exit_code_of` prints the error of the first one only, so the others log theirs.
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
        f"{plan.work}: it could not be written, because the disk or your quota is full ({free / 1e9:.2f} GB free: "
        f"{first_sentence(error)}); make room, then {_kept(plan)}"
    )


def _kept(plan: Plan) -> str:
    """Say what the same command does next."""
    checkpoint = last_whole_checkpoint(plan.work)
    return f"the same command goes on from {checkpoint.name}" if checkpoint else "run the same command again"


def first_sentence(error: BaseException) -> str:
    """Return the first sentence of an error; libraries add paragraphs of advice."""
    return " ".join(str(error).split()).split(". ")[0][:160]
