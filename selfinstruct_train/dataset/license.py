"""Under which licence a dataset may stand: what its model and its seed tasks hand down. Facts, no legal advice.

Read are built-in names, the front matter of a model folder's README.md or of the Hub's cached copy, and the checksum of
the released seed tasks. Nothing is downloaded (publishing puts the card of a Hub model into the cache first); what
cannot be told is `other`, with the reason.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from ..config import Config
from ..core.builtin import PREFIX, resolve
from ..core.gguf import SUFFIX, gguf_file, read_header
from ..core.model_source import model_source

RELEASED_SEED_TASKS = "7779004fa198fdf27cf70a159363879d8a26c53329e11b436af17b3941875f48"
"""sha256 of data/seed_tasks.jsonl of github yizhongw/self-instruct, which is under Apache-2.0."""


@dataclass(frozen=True)
class License:
    """A Hub licence id and the sentence that says where it comes from."""

    id: str
    reason: str


def inherited_license(config: Config) -> License:
    """Return card.license if set, else what model and seed tasks have in common, else `other`."""
    if config.card.license is not None:
        return License(config.card.license, "Chosen by whoever made the dataset.")
    return _in_common(config, model_license(config))


def renewed_license(card: str, config: Config) -> str:
    """Return a dataset's card with the model's licence, where that could not be read when the card was written."""
    then, now = _in_common(config, None), inherited_license(config)
    if config.card.license is not None or then.reason not in card:
        return card
    head = card.replace(f"license: {then.id}\n", f"license: {now.id}\n", 1)
    return head.replace(f"`{then.id}`. {then.reason}", f"`{now.id}`. {now.reason}")


def _in_common(config: Config, model: str | None) -> License:
    seeds = _of_seed_tasks(config.generate.seed_tasks)
    name = f"the model ({model_name(config.model.path)})"
    if model is None or seeds is None:
        unknown = " and ".join(what for what, id in ((name, model), ("the seed tasks", seeds)) if id is None)
        known = "".join(
            f" {what[0].upper() + what[1:]}: {id}." for what, id in ((name, model), ("the seed tasks", seeds)) if id
        )
        return License(
            "other", f"The licence of {unknown} could not be read here, so ask there before you use the data.{known}"
        )
    if model != seeds:
        return License("other", f"The model that wrote the data is under {model}, the seed tasks are under {seeds}.")
    return License(model, f"The model that wrote the data and the seed tasks are both under {model}.")


def model_license(config: Config) -> str | None:
    """Return the licence that the card of model.path names, in its folder or the Hub's cache; None: not to be read."""
    if config.model.backend == "http":
        return None  # the name a server gives its model tells nothing
    source = model_source(config.model.path)
    return folder_license(source) if Path(source).exists() else hub_license(source, config.model.revision)


def folder_license(folder: str) -> str | None:
    """Return the licence that the README.md of a model folder names, or else the header of its GGUF file."""
    gguf = gguf_file(folder)
    card = (gguf.parent if gguf else Path(folder)) / "README.md"
    told = front_matter_license(card.read_text(encoding="utf-8", errors="replace")) if card.is_file() else None
    return told or (_license_id(read_header(gguf).get("general.license")) if gguf else None)


def hub_license(name: str, revision: str | None) -> str | None:
    """Return the licence that the README.md of a Hub model names, if the Hub's cache holds it."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        cached = try_to_load_from_cache(name, "README.md", revision=revision)
    except HFValidationError:
        return None
    return folder_license(str(Path(cached).parent)) if isinstance(cached, str) else None


def model_name(path: str) -> str:
    """Return what may be shown of a model: its built-in name or Hub id, of a folder or file the last part alone."""
    if path.startswith(PREFIX):
        return path
    if path.startswith((".", "/", "~")) or "\\" in path or path.count("/") > 1 or path.lower().endswith(SUFFIX):
        return re.split(r"[\\/]", path.rstrip("/\\"))[-1] or "a local model"
    return path


def front_matter_license(text: str) -> str | None:
    """Return the licence that the YAML at the head of a model card names; one of its own as `other: <license_name>`."""
    import yaml

    found = re.match(r"---\s*\n(.*?)\n---\s*(\n|$)", text, re.DOTALL)
    if not found:
        return None
    try:
        header = yaml.safe_load(found[1])
    except yaml.YAMLError:
        return None
    value = header.get("license") if isinstance(header, dict) else None
    own_name = header.get("license_name") if value == "other" else None
    if isinstance(own_name, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+ _-]*", own_name):
        return f"other: {own_name}"
    return _license_id(value)


def _license_id(value: object) -> str | None:
    if not isinstance(value, str) or value in ("other", "unknown"):
        return None
    return value.lower() if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]*", value) else None


def _of_seed_tasks(name: str) -> str | None:
    if name.startswith(PREFIX):
        return "apache-2.0"
    path = Path(resolve(name, "seed_tasks")).expanduser()
    released = path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == RELEASED_SEED_TASKS
    return "apache-2.0" if released else None
