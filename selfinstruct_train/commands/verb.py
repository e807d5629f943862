"""What one verb of the command line is, and what a command line says to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..config import Config

GOES_ON = "stopped; the same command goes on from here"
"""What Ctrl-C prints where the same command continues."""


@dataclass(frozen=True)
class Call:
    """A command line that was read and checked."""

    config: Config
    """The defaults, where the verb reads no config."""
    config_words: tuple[str, ...]
    """`--config FILE` and the overrides as they were given, for another process; without the verb's own options."""
    options: Mapping[str, Any]
    """The verb's own options by name, and nothing else."""


@dataclass(frozen=True)
class Verb:
    """A command: its line in the overview, its help, its options, and what it does."""

    summary: str
    """One sentence; begins the help."""
    example: str
    run: Callable[[Call], None]
    sections: tuple[str, ...] = ()
    """Sections of the config, or single settings, that it reads; they stand in its help. Empty: it reads no config."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Its own arguments: name as it is typed -> argparse's settings."""
    instead_of_config: tuple[str, ...] = ()
    """Options that are enough without a config, e.g. --run_dir."""
    log_level: Literal["INFO", "WARNING"] = "WARNING"
    """INFO: it reports its settings and its progress."""
    logs_settings: bool = True
    """False: it reports them by itself, when all is checked."""
    when_stopped: str = "stopped"
    """What Ctrl-C prints."""
