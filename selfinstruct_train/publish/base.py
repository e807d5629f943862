"""Which model was finetuned: as the training recorded it, not as the settings or the disk would have it today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..config import Config
from ..core.builtin import PREFIX
from ..core.model_source import model_source
from ..dataset.license import folder_license, hub_license, model_name, renewed_license
from .model_card import Base


def as_trained(config: Config, manifest: Mapping[str, Any]) -> Config:
    """Return the configuration with base model and data as the training recorded them, whatever it names today.

    The base's revision becomes the commit that the Hub gave, where one was recorded.
    """
    recorded = manifest.get("config", {})
    model, data = recorded.get("model", {}), recorded.get("train", {})
    commit = manifest.get("model", {}).get("commit")
    return replace(
        config,
        model=replace(
            config.model,
            path=model.get("path", config.model.path),
            revision=commit or model.get("revision", config.model.revision),
        ),
        train=replace(config.train, dataset=data.get("dataset", config.train.dataset)),
    )


def base_of(config: Config, manifest: Mapping[str, Any]) -> Base:
    """Return the base model; of a folder the manifest holds a fingerprint, of a model of the Hub its commit.

    Only where it holds neither does the disk of today decide.
    """
    model, recorded = as_trained(config, manifest).model, manifest.get("model", {})
    path = model.path
    if path.startswith(PREFIX):
        return Base(path, False)
    if gguf := recorded.get("gguf"):
        return Base(gguf["file"], False, gguf_file=gguf["file"], quantization=gguf["quantization"])
    if "fingerprint" in recorded:
        is_hub_id = False
    elif "commit" in recorded:
        is_hub_id = True
    else:
        is_hub_id = path.count("/") == 1 and not Path(path).expanduser().exists()
    return Base(path, True, model.revision) if is_hub_id else Base(model_name(path).rpartition("/")[2], False)


def base_license(config: Config, base: Base) -> str | None:
    """Return the licence that the base's card names; None: not to be read here.

    Args:
        config: as trained.
    """
    return hub_license(base.name, base.revision) if base.is_hub_id else folder_license(model_source(config.model.path))


def dataset_card(text: str, config: Config, base: Base) -> str:
    """Return the card of the dataset with the licence of a base from the Hub, if it can be read by now.

    Args:
        config: as trained.
    """
    return renewed_license(text, config) if base.is_hub_id else text
