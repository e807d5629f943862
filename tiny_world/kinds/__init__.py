"""All kinds of tasks of the little world, and the prose that tells its facts, gathered from the modules beside this file."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from random import Random

from tiny_world.kind import Kind

KINDS: list[Kind] = []
PROSE: list[Callable[[Random], str]] = []
for _path in sorted(Path(__file__).parent.glob("*.py")):
    if _path.stem != "__init__":
        _module = import_module(f"{__name__}.{_path.stem}")
        KINDS += getattr(_module, "KINDS", [])
        PROSE += getattr(_module, "PROSE", [])

NEAR = [kind for kind in KINDS if not kind.far]
FAR = [kind for kind in KINDS if kind.far]
BY_NAME = {kind.name: kind for kind in KINDS}
assert len(BY_NAME) == len(KINDS), "two kinds share a name"
