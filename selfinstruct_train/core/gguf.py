"""GGUF files, llama.cpp's format: find the one that a model path means, and read what its header says.

transformers reads such a file with its tokenizer and turns the weights into ordinary ones; `lm.transformers.pretrained`
calls it. Both need the package `gguf`. It takes about eight seconds to read a header with a vocabulary of 262,144,
because it makes an object of every token, so a header is read once in a process.
"""

from __future__ import annotations

import importlib.util
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

SUFFIX = ".gguf"
_PART = re.compile(r"-\d{5}-of-(\d{5})\.gguf$", re.IGNORECASE)
FILE_TYPE = "general.file_type"
"""Key of the number that names the quantisation: `gguf.LlamaFileType`."""


def gguf_file(source: str | Path) -> Path | None:
    """Return the GGUF file of a model path: itself, or the only one in a folder without safetensors; None: no GGUF.

    Raises:
        ValueError: the folder holds several, or the file is a part of a split model.
    """
    path = Path(source)
    if path.is_file() and path.suffix.lower() == SUFFIX:
        return _whole(path)
    if not path.is_dir() or (path / "adapter_config.json").exists() or any(path.glob("*.safetensors")):
        return None
    found = sorted(file for file in path.iterdir() if file.suffix.lower() == SUFFIX)
    if len(found) > 1 and not all(_num_parts(file) > 1 for file in found):
        names = ", ".join(file.name for file in found)
        raise ValueError(f"model.path {str(source)!r} holds {len(found)} GGUF files ({names}); give one of them")
    return _whole(found[0]) if found else None


def check_gguf(file: Path) -> None:
    """Refuse a GGUF file that cannot be read, or that the installed packages cannot read.

    Raises:
        ValueError: it is no whole GGUF file, or the package gguf is missing.
    """
    num_parts = read_header(file).get("split.count", 1)
    if num_parts > 1:
        raise ValueError(_split_message(file, num_parts))


def quantization(file: Path) -> str:
    """Return the name of a GGUF file's quantisation, e.g. Q4_K_M, or F32; "an unknown type" if its header has none."""
    number = read_header(file).get(FILE_TYPE, -1)
    import gguf

    try:
        return gguf.LlamaFileType(number).name.removeprefix("MOSTLY_").removeprefix("ALL_")
    except ValueError:
        return "an unknown type"


def weights_origin(quantization: str) -> str:
    """Return what a card says of weights from a GGUF file, by the name of the quantisation."""
    if quantization in ("F32", "F16", "BF16"):
        return f"read from GGUF in {quantization} by transformers"
    return f"dequantised from {quantization} by transformers"


def read_header(file: Path) -> dict[str, Any]:
    """Return the header's numbers and texts by key; arrays are left out.

    Raises:
        ValueError: the file is no readable GGUF file, or the package gguf is missing.
    """
    if importlib.util.find_spec("gguf") is None:
        raise ValueError(
            f"model.path {str(file)!r} is a GGUF file, which needs the package gguf; "
            "pip install 'selfinstruct-train[gguf]'"
        )
    state = file.stat()
    return dict(_read_header(file, state.st_size, state.st_mtime_ns))


@lru_cache(maxsize=4)
def _read_header(file: Path, size: int, modified: int) -> dict[str, Any]:
    """Read a header once.

    Args:
        size: with `modified` (nanoseconds), part of the key, because the file may be replaced.
    """
    import gguf

    try:
        fields = gguf.GGUFReader(file).fields
        return {
            name: field.contents()
            for name, field in fields.items()
            if field.types and field.types[0] != gguf.GGUFValueType.ARRAY
        }
    except Exception as error:  # a file can be broken in any way
        raise ValueError(f"model.path {str(file)!r} is no readable GGUF file: {error}") from error


def _whole(file: Path) -> Path:
    if _num_parts(file) > 1:
        raise ValueError(_split_message(file, _num_parts(file)))
    return file


def _num_parts(file: Path) -> int:
    found = _PART.search(file.name)
    return int(found[1]) if found else 1


def _split_message(file: Path, number: int) -> str:
    return (
        f"model.path: {file.name} is one of {number} parts of a GGUF model, and transformers reads a model from one "
        "file; join them: llama-gguf-split --merge FIRST_PART OUT.gguf"
    )
