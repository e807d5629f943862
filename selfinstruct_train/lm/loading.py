"""Find, check and load a transformers model: Hub id, folder, built-in name, or a folder with a LoRA adapter.

Weights are read from safetensors only; Python code that comes with a model runs only if `trust_remote_code` says so.
Whatever is wrong with a model becomes one ValueError line.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..builtin import resolve
from ..config import ModelConfig

if TYPE_CHECKING:
    import torch

    from .transformers_lm import TransformersLM

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model")


def load_transformers_lm(model: ModelConfig, path: str | None = None) -> TransformersLM:
    """Load the model of this config, or the one at `path` with the config's other settings.

    Raises:
        ValueError: no model is there, or it cannot be loaded.
    """
    from .transformers_lm import TransformersLM

    if path is not None and path != model.path:
        model = replace(model, path=path, revision=None)
    source = _source(model.path)
    check_model_source(source)
    device, dtype = choose_device(model.device), choose_dtype(model)
    network, tokenizer = _load(source, model, dtype)
    _check_vocabulary(network, tokenizer, model.path)
    name = f"{model.path}@{_revision(source, model, network)} transformers {str(dtype).removeprefix('torch.')}"
    return TransformersLM(network.to(device), tokenizer, name, model.batch_size, device)


def check_model_source(source: str) -> None:
    """Refuse a path that is no folder with a model; a Hub id passes, since only the Hub knows.

    Raises:
        ValueError: naming what is missing.
    """
    folder = Path(source)
    if not folder.exists():
        if source.startswith((".", "/", "~")) or source.count("/") > 1 or not source.strip():
            raise ValueError(f"model.path {source!r}: no such folder; give a Hub id, a model folder or builtin:tiny")
        return
    if not folder.is_dir():
        raise ValueError(f"model.path {source!r} is a file; give the folder that holds the model")
    if (folder / "adapter_config.json").exists():
        if not (folder / "adapter_model.safetensors").exists():
            raise ValueError(f"model.path {source!r}: adapter_model.safetensors is missing")
        return
    missing = [] if (folder / "config.json").exists() else ["config.json"]
    if not any(folder.glob("*.safetensors")):
        missing.append("model.safetensors")
    if not any((folder / name).exists() for name in TOKENIZER_FILES):
        missing.append("tokenizer.json")
    if missing:
        raise ValueError(f"model.path {source!r} holds no model: {', '.join(missing)} missing")


def choose_device(device: str) -> str:
    """Return the torch device name; auto is the first GPU if there is one, else cpu."""
    import torch

    if device == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"model.device {device!r} is no torch device; give auto, cpu or cuda:0") from error
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"model.device {device!r}: {torch.cuda.device_count()} GPUs are visible; give auto or cpu")
    return device


def choose_dtype(model: ModelConfig) -> torch.dtype:
    """Return the torch dtype; auto is bfloat16 on a GPU that has it, else float32."""
    import torch

    if model.dtype != "auto":
        dtype: torch.dtype = getattr(torch, model.dtype)
        return dtype
    on_gpu = choose_device(model.device).startswith("cuda")
    return torch.bfloat16 if on_gpu and torch.cuda.is_bf16_supported() else torch.float32


def _source(path: str) -> str:
    """Resolve a built-in name and the home folder; anything else stays as it is."""
    source = resolve(path, "model")
    return str(Path(source).expanduser()) if source.startswith("~") else source


def _load(source: str, model: ModelConfig, dtype: torch.dtype) -> tuple[Any, Any]:
    """Return the network and its tokenizer."""
    adapter = Path(source) / "adapter_config.json"
    if adapter.exists():
        return _load_adapter(source, adapter, model, dtype)
    import transformers

    options = {"revision": model.revision, "trust_remote_code": model.trust_remote_code}
    try:
        network = transformers.AutoModelForCausalLM.from_pretrained(
            source, dtype=dtype, use_safetensors=True, **options
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(source, **options)
    except Exception as error:  # every way in which a foreign model can be broken, told in one line
        raise ValueError(_load_failure(source, error)) from error
    return network, tokenizer


def _load_adapter(source: str, adapter: Path, model: ModelConfig, dtype: torch.dtype) -> tuple[Any, Any]:
    """Load the base model that the adapter names, merge the adapter into it, and take the adapter's tokenizer."""
    import peft
    import transformers

    settings = json.loads(adapter.read_text(encoding="utf-8"))
    base_path = settings.get("base_model_name_or_path")
    if not base_path:
        raise ValueError(f"model.path {source!r}: adapter_config.json does not name its base model")
    base = replace(model, path=base_path, revision=settings.get("revision"))
    base_source = _source(base_path)
    check_model_source(base_source)
    network, tokenizer = _load(base_source, base, dtype)
    try:
        network = peft.PeftModel.from_pretrained(network, source).merge_and_unload()
        if any((Path(source) / name).exists() for name in TOKENIZER_FILES):
            tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    except Exception as error:
        raise ValueError(_load_failure(source, error)) from error
    return network, tokenizer


def _load_failure(source: str, error: Exception) -> str:
    reason = " ".join(str(error).split())
    where = (
        "folder" if Path(source).exists() else "Hub id; no folder of this name exists, and the Hub gave no such model"
    )
    return f"model.path {source!r} cannot be loaded ({where}): {type(error).__name__}: {reason[:300]}"


def _check_vocabulary(network: Any, tokenizer: Any, path: str) -> None:
    rows = network.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise ValueError(
            f"model.path {path!r}: the tokenizer has {len(tokenizer)} tokens but the model {rows} embeddings; "
            "they do not belong together"
        )


def _revision(source: str, model: ModelConfig, network: Any) -> str:
    """Return what pins the weights: the Hub commit, or a fingerprint of the files of a folder."""
    if not Path(source).exists():
        return str(getattr(network.config, "_commit_hash", None) or model.revision or "main")
    return fingerprint(Path(source))


def fingerprint(folder: Path) -> str:
    """Return 12 hex digits that change with the weights, config or tokenizer of a model folder.

    Of a large file the size and 64 evenly spaced blocks count, so that many gigabytes take no time; training changes
    weights everywhere.
    """
    digest = hashlib.sha256()
    block = 1 << 16
    names = {*TOKENIZER_FILES, "config.json", "generation_config.json", "tokenizer_config.json", "adapter_config.json"}
    files = [file for file in folder.iterdir() if file.suffix == ".safetensors" or file.name in names]
    for file in sorted(files):
        size = file.stat().st_size
        digest.update(f"{file.name} {size}\n".encode())
        with file.open("rb") as stream:
            for place in range(0, size, max(block, size // 64)):
                stream.seek(place)
                digest.update(stream.read(block))
    return digest.hexdigest()[:12]
