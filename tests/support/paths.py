"""Where the tests find things: the checkout, its tracked files, and the real material that lies beside it."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
REAL_DATA = SHARED / "self_instruct_5k.jsonl"
REAL_MODELS = Path(os.environ.get("REAL_MODELS", ROOT / "models"))
"""Folder with the real models of `make test-real`, each a folder in transformers format."""


def tracked_files(*folders: str) -> list[Path]:
    """Return the checkout's files that git knows; a config of one's own, not added to git, is none of them."""
    words = ["git", "ls-files", "--", *folders]
    names = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in names]


def run_configs() -> list[Path]:
    """Return the project's own configs of runs."""
    return [path for path in tracked_files("configs") if path.parent == ROOT / "configs" and path.suffix == ".yaml"]


def accelerate_files() -> list[Path]:
    """Return the project's own launch files."""
    return tracked_files("configs/accelerate")
