"""Load a LoRA adapter on its base, or merge both into one ordinary model and save it.

The merge is computed in float32 and rounded once, which needs four bytes of memory per parameter. Whether the merged
model answers as the adapter is measured in `compare_merged`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from ...core.model_source import TOKENIZER_FILES, load_failure, model_source
from ...lm.transformers.pretrained import (
    load_pretrained_network,
    load_pretrained_tokenizer,
    read_pretrained_config,
)

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


def base_of(folder: Path) -> tuple[str, str | None]:
    """Return where an adapter's base model is (folder or Hub id) and its revision.

    Raises:
        ValueError: the adapter does not name its base.
    """
    try:
        settings = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder}: no adapter with a readable adapter_config.json: {error}") from error
    path = settings.get("base_model_name_or_path")
    if not path:
        raise ValueError(f"{folder}: adapter_config.json does not name its base model")
    return model_source(path), settings.get("revision")


def load_with_adapter(
    folder: Path,
    dtype: torch.dtype,
    trust_remote_code: bool = False,
    base: PreTrainedModel | None = None,
    device_map: str | None = None,
) -> PreTrainedModel:
    """Return the peft model of an adapter on its base.

    Args:
        base: the base, if it is loaded already, e.g. in 4 bits.
        device_map: the argument of from_pretrained, to spread the base over devices.

    Raises:
        ValueError: the adapter or its base cannot be loaded.
    """
    import peft

    source, revision = base_of(folder)
    try:
        if base is None:
            base = load_pretrained_network(
                source, dtype=dtype, device_map=device_map, revision=revision, trust_remote_code=trust_remote_code
            )
        adapted: Any = peft.PeftModel.from_pretrained(base, str(folder))  # with the methods of its base
        return cast("PreTrainedModel", adapted.eval())
    except Exception as error:  # a foreign model can fail in any way
        raise ValueError(load_failure(source, error)) from error


def own_dtype(folder: Path, trust_remote_code: bool = False) -> torch.dtype:
    """Return the dtype in which the base of an adapter is published."""
    import torch

    source, revision = base_of(folder)
    settings = read_pretrained_config(source, revision=revision, trust_remote_code=trust_remote_code)
    return getattr(settings.get_text_config(), "dtype", None) or torch.float32


def merge_adapter(
    folder: Path,
    out: Path,
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto",
    trust_remote_code: bool = False,
) -> Path:
    """Save the model of an adapter without the adapter: safetensors, tokenizer, config and generation config.

    Args:
        out: a folder that does not exist; it appears when it is complete.
        dtype: of the saved weights; auto: the base's own.

    Raises:
        ValueError: `out` exists already, or the adapter or its base cannot be loaded.
    """
    import torch
    import transformers

    if out.exists():
        raise ValueError(f"{out} exists already; give a folder that does not exist")
    adapted: Any = load_with_adapter(folder, torch.float32, trust_remote_code)
    merged = adapted.merge_and_unload(safe_merge=True)
    source, revision = base_of(folder)
    options: dict[str, Any] = {"trust_remote_code": trust_remote_code}
    wanted = own_dtype(folder, trust_remote_code) if dtype == "auto" else getattr(torch, dtype)
    has_tokenizer = any((folder / name).exists() for name in TOKENIZER_FILES)
    tokenizer = (
        load_pretrained_tokenizer(folder, **options)
        if has_tokenizer
        else load_pretrained_tokenizer(source, revision=revision, **options)
    )
    if (folder / "generation_config.json").exists():
        merged.generation_config = transformers.GenerationConfig.from_pretrained(folder)
    unfinished = out.with_name(f".{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    merged.to(wanted).save_pretrained(unfinished)
    tokenizer.save_pretrained(unfinished)
    unfinished.rename(out)
    return out
