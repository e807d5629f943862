"""Make the environment of `make`: `environment.py [--clear] FOLDER EXTRA` installs the checkout, editable.

The versions are those of constraints.txt. uv installs where it can be had: on PATH, else from the index. Where it
cannot be had, or fails, pip installs. Both take packages from where pip is told to (pip.conf, PIP_INDEX_URL, PIP_CERT,
PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS), so both take a CPU build of torch that is offered there.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Make the environment, or end with pip's exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036
        sys.exit(f"error: Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
    *options, folder, extra = sys.argv[1:]
    if "--clear" in options and run(sys.executable, "-m", "venv", "--clear", folder):
        sys.exit(f"error: Python cannot make the environment {folder}")
    python = Path(folder, "bin", "python")
    what = ["install", "--quiet", "-c", "constraints.txt", "-e", f".[{extra}]"]
    uv = find_uv(python)
    if uv and run(uv, "pip", *what, "--python", python, *sources(python)) == 0:
        return
    sys.exit(run(python, "-m", "pip", *what, "--no-compile"))  # as uv: modules are compiled when first imported


def run(*words: str | Path) -> int:
    """Run a command and return its exit code."""
    return subprocess.run(words, check=False).returncode


def find_uv(python: Path) -> str | None:
    """Return uv's path: the one on PATH, else the environment's, which pip installs; None: it cannot be had."""
    found = shutil.which("uv")
    if found:
        return found
    own = python.with_name("uv")
    if not own.exists():
        words = ["-m", "pip", "install", "--quiet", "--retries", "1", "-c", "constraints.txt", "uv"]
        subprocess.run([python, *words], check=False, capture_output=True)
    return str(own) if own.exists() else None


def sources(python: Path) -> list[str]:
    """Return uv's options for the places where pip looks: uv reads neither pip.conf nor PIP_ variables."""
    listed = subprocess.run([python, "-m", "pip", "config", "list"], check=False, capture_output=True, text=True).stdout
    settings = {key: ast.literal_eval(value) for key, _, value in (line.partition("=") for line in listed.splitlines())}

    def words(name: str) -> list[str]:
        keys = [f":env:.{name}", f"install.{name}", f"global.{name}"]  # the first one that is set counts, as for pip
        return next((settings[key].split() for key in keys if key in settings), [])

    for certificate in words("cert"):
        os.environ.setdefault("SSL_CERT_FILE", certificate)
    options = {
        "index-url": "--default-index",
        "extra-index-url": "--index",
        "find-links": "--find-links",
        "trusted-host": "--allow-insecure-host",
    }
    found = [word for name, option in options.items() for value in words(name) for word in (option, value)]
    if words("no-index"):
        found.append("--no-index")
    if "UV_INDEX_STRATEGY" not in os.environ:  # pip takes the best version of all indexes, uv that of the first one
        found += ["--index-strategy", "unsafe-best-match"]
    return found


if __name__ == "__main__":
    main()
