"""Call the command line in this process, where the libraries are imported already, as a process of its own would."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from selfinstruct_train.cli import main
from tests.support.paths import ROOT

LOGGERS = ("selfinstruct_train", "selfinstruct_eval", "bitsandbytes")
"""Those whose level a command sets."""


@dataclass(frozen=True)
class Done:
    """How a command ended, with the names of subprocess.CompletedProcess."""

    returncode: int
    stdout: str
    stderr: str

    def error(self) -> str:
        """Return the one line that tells what the user can mend; there is no traceback and no second one."""
        errors = [line for line in self.stderr.splitlines() if line.startswith("error: ")]
        assert self.returncode == 2 and len(errors) == 1 and "Traceback" not in self.stderr, (
            self.returncode,
            self.stderr,
        )
        return errors[0]


def run_cli(*argv: object, cwd: str | Path | None = None, env: Mapping[str, str | None] | None = None) -> Done:
    """Run `selfinstruct ARGV` and return how it ended; nothing of this process is changed by it.

    Args:
        cwd: the folder it is run in; None: the repository.
        env: variables of its environment beside this process's; None takes one away.
    """
    words = [str(word) for word in argv]
    out, err = io.StringIO(), io.StringIO()
    with (
        _own_logging(err),
        _own_folder_and_environment(words, Path(cwd or ROOT), env or {}),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = main(words)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Done(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _own_folder_and_environment(words: list[str], cwd: Path, env: Mapping[str, str | None]) -> Iterator[None]:
    argv, folder, environment = sys.argv, Path.cwd(), dict(os.environ)
    try:
        sys.argv = ["selfinstruct", *words]
        os.chdir(cwd)
        for name, value in env.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        sys.argv = argv


@contextlib.contextmanager
def _own_logging(err: io.StringIO) -> Iterator[None]:
    """No handler of the tests, as in a new process; afterwards no logger has another level or writes into `err`."""
    for name in LOGGERS:
        logging.getLogger(name)
    root = logging.getLogger()
    levels = {logger: logger.level for logger in _loggers()}
    handlers = list(root.handlers)
    root.handlers.clear()
    try:
        yield
    finally:
        root.handlers[:] = handlers
        for logger, level in levels.items():
            logger.setLevel(level)
        for handler in (handler for logger in _loggers() for handler in logger.handlers):
            if isinstance(handler, logging.StreamHandler) and handler.stream is err:  # a library's, first imported here
                handler.setStream(sys.stderr)


def _loggers() -> list[logging.Logger]:
    named = [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    return [logging.root, *named]
