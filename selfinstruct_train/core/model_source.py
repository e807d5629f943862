"""Where a model's files are, whether they are a model, and a fingerprint of them; nothing is loaded here.

The language-model backends and the training both stand on this.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from .builtin import resolve
from .gguf import check_gguf, gguf_file

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model")
_GGUF_HEADER = 1 << 25
"""Bytes; the header of a model with a vocabulary of 262,144 takes seven million."""


def model_source(path: str) -> str:
    """Resolve a built-in name and the home folder; anything else stays as it is."""
    source = resolve(path, "model")
    return str(Path(source).expanduser()) if source.startswith("~") else source


def check_model_source(source: str) -> None:
    """Refuse a path that is neither a folder with a model nor a GGUF file; a Hub id passes, since only the Hub knows.

    Raises:
        ValueError: naming what is missing.
    """
    folder = Path(source)
    if not folder.exists():
        if source.startswith((".", "/", "~")) or source.count("/") > 1 or not source.strip():
            raise ValueError(f"model.path {source!r}: no such folder; give a Hub id, a model folder or builtin:tiny")
        return
    gguf = gguf_file(folder)
    if gguf is not None:
        check_gguf(gguf)
        return
    if not folder.is_dir():
        raise ValueError(f"model.path {source!r} is a file; give a GGUF file or the folder that holds the model")
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


def load_failure(source: str, error: Exception) -> str:
    """Say in one line that a model cannot be loaded, and why."""
    reason = " ".join(str(error).split())
    path = Path(source)
    kind = "folder" if path.is_dir() else "file"
    where = kind if path.exists() else "Hub id; no folder of this name exists, and the Hub gave no such model"
    return f"model.path {source!r} cannot be loaded ({where}): {type(error).__name__}: {reason[:300]}"


def weights_revision(source: str, commit: str | None, asked: str | None) -> str:
    """Return what pins the weights: a fingerprint of the local files, or the Hub's commit.

    Args:
        commit: as the loaded model tells it.
        asked: the revision that the config names.
    """
    path = Path(source)
    return fingerprint(path) if path.exists() else str(commit or asked or "main")


def fingerprint(model: Path) -> str:
    """Return 12 hex digits that change with the weights, config or tokenizer of a model folder or a GGUF file.

    Of a large file the size and 64 evenly spaced blocks count, so that many gigabytes take no time; training changes
    weights everywhere. Of a GGUF file the first 32 MiB count too, which hold its config and tokenizer.
    """
    digest = hashlib.sha256()
    block = 1 << 16
    gguf = gguf_file(model)
    names = {*TOKENIZER_FILES, "config.json", "generation_config.json", "tokenizer_config.json", "adapter_config.json"}
    files = [gguf] if gguf else [f for f in model.iterdir() if f.suffix == ".safetensors" or f.name in names]
    for file in sorted(files):
        size = file.stat().st_size
        digest.update(f"{file.name} {size}\n".encode())
        with file.open("rb") as stream:
            if file == gguf:
                digest.update(stream.read(_GGUF_HEADER))
            for offset in range(0, size, max(block, size // 64)):
                stream.seek(offset)
                digest.update(stream.read(block))
    return digest.hexdigest()[:12]
