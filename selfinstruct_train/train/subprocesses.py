"""Commands in processes of their own, one after another: how an experiment trains its arms.

A process frees all memory when it ends, and it may be a launcher with many processes of its own. What a command prints
goes where this process prints too, and the one line in which it says why it ended is not followed by a second one.
Which arms there are and what they are trained on is not known here.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ..core.exit_codes import BUDGET_REACHED, ERROR, INTERRUPTED
from .plan import Plan, read_identity
from .verify.verification import is_verified

_TOLD = (ERROR, BUDGET_REACHED, INTERRUPTED)
PATIENCE_SECONDS = 10.0
"""How long a process may take to end by the Ctrl-C that a terminal sends to all."""


def find_finished(plan: Plan, others: Sequence[Path] = ()) -> Path | None:
    """Return the folder where the verified model of this very plan is: its own, or one of `others`; None: nowhere."""
    for folder in (plan.folder, *others):
        if read_identity(folder) == plan.identity and is_verified(folder):
            return folder
    return None


def split_launcher(launch: str) -> list[str]:
    """Cut the command before a script into its words, as a shell does.

    Raises:
        ValueError: it has none, or a quote that does not end.
    """
    try:
        words = shlex.split(launch)
    except ValueError as error:
        raise ValueError(f"--launch {launch!r}: {error}; quote it as for a shell") from None
    if not words:
        raise ValueError("--launch is empty; name a command, e.g. accelerate launch, or leave it out")
    return words


def run_to_end(command: Sequence[str], what: str) -> None:
    """Run a command and pass on how it ended.

    Args:
        what: "the training of ..."; begins the line of an error.

    Raises:
        SystemExit: it ended with one of the recipes' exit codes, and so with its line.
        ValueError: it cannot be started, or ended in another way.
        KeyboardInterrupt: this process was stopped; the command has ended then, without a line.
    """
    try:
        process = subprocess.Popen(command)
    except OSError as error:
        raise ValueError(f"{what}: {command[0]!r} cannot be started ({error.strerror}); mend --launch") from error
    # a training that went on alone would hold its folder against the same command
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
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
        raise ValueError(f"{what} ended {how}; the lines above tell why, and the same command goes on there")


def _end(process: subprocess.Popen[bytes]) -> int:
    """Wait for it and return its code; who interrupted this process alone, or once more, means its child too."""
    try:
        return process.wait(timeout=PATIENCE_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.send_signal(signal.SIGINT)
        return process.wait()
