"""Run commands one after another, each in a subprocess: this is how an experiment trains its arms.

A subprocess frees all memory when it ends, and it can be a launcher that starts more processes. It prints to the same
terminal, and its one-line error is not followed by a second one. The arms and their data are defined elsewhere.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ..core.exit_codes import BUDGET_REACHED, ERROR, INTERRUPTED
from ..core.progress import others_speak
from .plan import Plan, read_identity
from .verify.record import is_verified

_TOLD = (ERROR, BUDGET_REACHED, INTERRUPTED)
PATIENCE_SECONDS = 10.0
"""How long a subprocess may take to end after the Ctrl-C that a terminal sends to all processes."""


def find_finished(plan: Plan, others: Sequence[Path] = ()) -> Path | None:
    """Return the folder with the verified model of exactly this plan, its own or one of `others`; None: none has it."""
    for folder in (plan.folder, *others):
        if read_identity(folder) == plan.identity and is_verified(folder):
            return folder
    return None


def split_launcher(launch: str) -> list[str]:
    """Split a launch command into its words, as a shell does.

    Raises:
        ValueError: it is empty, or a quote is not closed.
    """
    try:
        words = shlex.split(launch)
    except ValueError as error:
        raise ValueError(f"--launch {launch!r}: {error}; quote it as for a shell") from None
    if not words:
        raise ValueError("--launch is empty; name a command, e.g. accelerate launch, or leave it out")
    return words


def run_to_end(command: Sequence[str], what: str) -> None:
    """Run a command and end as it ended.

    Args:
        what: "the training of ..."; the subject of an error message.

    Raises:
        SystemExit: it ended with one of the package's exit codes, so it has printed its own line.
        ValueError: it cannot be started, or it ended in another way.
        KeyboardInterrupt: this process was interrupted; the command has ended then, without a line of its own.
    """
    try:
        process = subprocess.Popen(command)
    except OSError as error:
        raise ValueError(f"{what}: {command[0]!r} cannot be started ({error.strerror}); correct --launch") from error
    # a training that continued alone would keep its folder locked
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        with others_speak():
            code = process.wait()
    except KeyboardInterrupt:
        code = _end(process)
        if code not in _TOLD:
            raise
    finally:
        signal.signal(signal.SIGTERM, before)
    if code in _TOLD:
        raise SystemExit(code)
    if code:
        how = f"with exit code {code}" if code > 0 else f"by signal {-code}"
        raise ValueError(f"{what} ended {how}; the lines above say why; run the same command again to continue")


def _end(process: subprocess.Popen[bytes]) -> int:
    """Wait for its end and return its code; interrupt it if this process alone was interrupted, or once more."""
    try:
        return process.wait(timeout=PATIENCE_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.send_signal(signal.SIGINT)
        return process.wait()
