"""A new config from the nearest template: the package's config for a model of about the same size and name.

The template's settings and comments stay as they are; only its head, run_dir and model.path are the new run's.
"""

from __future__ import annotations

import difflib
import math
import re
from pathlib import Path

from ..core.storage import write_text
from .find import HERE, package_folder

TINY = "builtin:tiny"
GENERAL = "gpu"
"""The template for a model whose name does not tell its size."""
_MODEL = re.compile(r"^model:\n  path: (\S+).*$", re.MULTILINE)
_SIZE = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)([bm])(?![a-z0-9])")
_VARIANTS = ("_lora", "", "_qlora")
"""Of templates that are equally near, the first: an adapter of a large model fits one GPU."""


def write_config(name: str, model: str) -> tuple[Path, str]:
    """Write configs/<name>.yaml for a pretrained model.

    Returns:
        The file, and the name of the template.

    Raises:
        ValueError: it is no name or no model, or there is such a file already.
    """
    if not re.fullmatch(r"\w[\w.+-]*", name):
        raise ValueError(f"{name!r} cannot be the name of a run; use letters, digits, . + - and _")
    if not re.fullmatch(r"[\w.+~/:@-]+", model):
        raise ValueError(f"--model {model!r} is no Hub id (ORG/NAME) and no folder that can stand in a config")
    path = HERE / f"{name}.yaml"
    if path.exists():
        raise ValueError(f"{path} is there already; choose another name, or edit it")
    template = nearest_template(model)
    text = (package_folder() / f"{template}.yaml").read_text(encoding="utf-8")
    text = re.sub(r"\A(#.*\n)+", "", text)
    text = re.sub(r"^run_dir: .*$", f"run_dir: runs/{name}", text, flags=re.MULTILINE)
    text = _MODEL.sub(f"model:\n  path: {model} # pin what you get: revision: <commit of the Hub>", text)
    head = [f"selfinstruct run {name}", f"Settings of the template {template}; what fits which GPU: docs/models.md."]
    if "data/natural-instructions" in text:
        head.append("Before the first run: `selfinstruct data`, which gets the evaluation data.")
    return write_text(path, "".join(f"# {line}\n" for line in head) + text), template


def nearest_template(model: str) -> str:
    """Return the name of the package's config for the model most like this one, by size and then by name."""
    if model == TINY:
        return "tiny"
    size, name = _size(model), _name(model)
    if size is None:
        return GENERAL
    ranked = []
    for path in sorted(package_folder().glob("*.yaml")):
        found = _MODEL.search(path.read_text(encoding="utf-8"))
        stem = re.sub(r"_q?lora$", "", path.stem)
        if found is None or path.stem in (GENERAL, "paper") or (other := _size(found[1])) is None:
            continue
        likeness = difflib.SequenceMatcher(None, name, _name(found[1])).ratio()
        variant = _VARIANTS.index(path.stem.removeprefix(stem))
        ranked.append((abs(math.log(size / other)), -likeness, variant, path.stem))
    return min(ranked)[-1] if ranked else GENERAL


def _name(model: str) -> str:
    return model.rstrip("/").rsplit("/", 1)[-1].lower()


def _size(model: str) -> float | None:
    """Return the number of parameters that a model's name tells, in billions."""
    found = _SIZE.search(_name(model))
    return None if found is None else float(found[1]) / (1 if found[2] == "b" else 1000)
