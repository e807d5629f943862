"""A LoRA adapter and its base: loaded together as peft does, or merged into one ordinary model and saved.

Merging is done in float32 and rounded once to the precision of the result: four bytes of memory a parameter.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from ...core.model_source import TOKENIZER_FILES, load_failure, model_source

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


def base_of(folder: Path) -> tuple[str, str | None]:
    """Return where an adapter's base model is (folder or Hub id) and its revision.

    Raises:
        ValueError: the adapter does not say.
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
        base: the base, if it is loaded already (in 4 bits, say).
        device_map: of from_pretrained, where the base is to be spread over devices.

    Raises:
        ValueError: one of them cannot be loaded.
    """
    import peft
    import transformers

    source, revision = base_of(folder)
    try:
        if base is None:
            base = transformers.AutoModelForCausalLM.from_pretrained(
                source,
                dtype=dtype,
                device_map=device_map,
                use_safetensors=True,
                revision=revision,
                trust_remote_code=trust_remote_code,
            )
        adapted: Any = peft.PeftModel.from_pretrained(base, str(folder))  # with the methods of its base
        return cast("PreTrainedModel", adapted.eval())
    except Exception as error:  # every way in which a foreign model can be broken, told in one line
        raise ValueError(load_failure(source, error)) from error


def own_dtype(folder: Path, trust_remote_code: bool = False) -> torch.dtype:
    """Return the precision in which the base of an adapter is published."""
    import torch
    import transformers

    source, revision = base_of(folder)
    settings = transformers.AutoConfig.from_pretrained(source, revision=revision, trust_remote_code=trust_remote_code)
    return getattr(settings.get_text_config(), "dtype", None) or torch.float32


def merge_adapter(
    folder: Path,
    out: Path,
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto",
    trust_remote_code: bool = False,
) -> Path:
    """Write the adapter's model as one without adapter: safetensors, tokenizer, config and generation config.

    Args:
        out: a folder that is not there yet; it appears only when it is whole.
        dtype: of the saved weights; auto: the base's own.

    Raises:
        ValueError: `out` is there already, or adapter or base cannot be loaded.
    """
    import torch
    import transformers

    if out.exists():
        raise ValueError(f"{out}: there is something already; give a folder that does not exist")
    adapted: Any = load_with_adapter(folder, torch.float32, trust_remote_code)
    merged = adapted.merge_and_unload(safe_merge=True)
    source, revision = base_of(folder)
    options: dict[str, Any] = {"trust_remote_code": trust_remote_code}
    wanted = own_dtype(folder, trust_remote_code) if dtype == "auto" else getattr(torch, dtype)
    has_tokenizer = any((folder / name).exists() for name in TOKENIZER_FILES)
    tokenizer = (
        transformers.AutoTokenizer.from_pretrained(folder, **options)
        if has_tokenizer
        else transformers.AutoTokenizer.from_pretrained(source, revision=revision, **options)
    )
    if (folder / "generation_config.json").exists():
        merged.generation_config = transformers.GenerationConfig.from_pretrained(folder)
    unfinished = out.with_name(f".{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    merged.to(wanted).save_pretrained(unfinished)
    tokenizer.save_pretrained(unfinished)
    unfinished.rename(out)
    return out
