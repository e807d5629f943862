"""Verify trained models in a new process, which reads the files as a user does and has all memory free."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ...core.exit_codes import INTERRUPTED
from ...core.progress import others_speak
from ...lm.transformers.memory import release
from .record import is_refused

LAUNCHED = (
    *("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_", "ROLE_", "FSDP_", "MASTER_"),
    *("TORCHELASTIC_", "ACCELERATE_", "PMI_", "OMPI_", "MV2_", "SLURM_"),
)
"""Prefixes of the variables that launchers set; the new process is not part of the launch."""


def verify_in_a_new_process(folders: Sequence[Path], words: Sequence[str]) -> None:
    """Run `selfinstruct verify` on the models that this process has trained.

    Args:
        words: the config and the overrides of this command line.

    Raises:
        ValueError: a model is not fit for use, or could not be verified.
        KeyboardInterrupt: it was stopped by Ctrl-C.
    """
    import torch

    release("cuda" if torch.cuda.is_available() else "cpu")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(LAUNCHED)}
    command = [sys.executable, "-m", "selfinstruct_train", "verify", *words]
    with others_speak():
        code = subprocess.run(command, env=environment, check=False).returncode
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code and any(is_refused(folder) for folder in folders):
        raise ValueError("the trained model is not proven fit for use; the lines above say why")
    if code:
        why = "the lines above say why" if code > 0 else f"signal {-code}, often the system's when memory runs out"
        raise ValueError(f"trained and kept, but it could not be examined: {why}; run `selfinstruct verify` again")
