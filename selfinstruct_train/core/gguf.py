"""GGUF files, llama.cpp's format: find the one that a model path means, and read what its header says.

transformers reads such a file with its tokenizer and turns the weights into ordinary ones; `lm.transformers.pretrained`
calls it. Here only the header is read, in the layout of github ggml-org/ggml, docs/gguf.md: the package `gguf` needs
eight seconds for a vocabulary of 262,144, because it makes an object of every token.
"""

from __future__ import annotations

import importlib.util
import mmap
import re
import struct
from pathlib import Path
from typing import Any

SUFFIX = ".gguf"
_PART = re.compile(r"-\d{5}-of-(\d{5})\.gguf$", re.IGNORECASE)
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
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
    header = read_header(file)
    if header.get("split.count", 1) > 1:
        raise ValueError(_split_message(file, header["split.count"]))
    if importlib.util.find_spec("gguf") is None:
        raise ValueError(
            f"model.path {str(file)!r} is a GGUF file, which needs the package gguf; "
            "pip install 'selfinstruct-train[gguf]'"
        )


def quantization(file: Path) -> str:
    """Return the name of a GGUF file's quantisation, e.g. Q4_K_M, or F32; "an unknown type" if its header has none."""
    number = read_header(file).get(FILE_TYPE, -1)
    try:
        import gguf

        return gguf.LlamaFileType(number).name.removeprefix("MOSTLY_").removeprefix("ALL_")
    except (ImportError, ValueError):
        return "an unknown type"


def weights_origin(quantization: str) -> str:
    """Return what a card says of weights from a GGUF file, by the name of the quantisation."""
    if quantization in ("F32", "F16", "BF16"):
        return f"read from GGUF in {quantization} by transformers"
    return f"dequantised from {quantization} by transformers"


def read_header(file: Path) -> dict[str, Any]:
    """Return the header's numbers and texts by key; of an array only its length.

    Raises:
        ValueError: the file is no GGUF file of version 2 or 3, or is cut off.
    """
    try:
        with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Reader(data).header()
    except (OSError, ValueError, struct.error, IndexError) as error:
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


class _Reader:
    """Reads a header from its start; `position` is the next byte."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._position = 0

    def header(self) -> dict[str, Any]:
        if self._data[:4] != b"GGUF":
            raise ValueError("it does not begin with GGUF")
        self._position = 4
        version, _, num_entries = self._numbers("IQQ")
        if version not in (2, 3):
            raise ValueError(f"it has version {version}; 2 and 3 can be read")
        entries: dict[str, Any] = {}
        for _ in range(num_entries):
            key = self._text()
            (kind,) = self._numbers("I")
            entries[key] = self._value(kind)
        return entries

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._text()
        if kind in _SCALARS:
            return self._numbers(_SCALARS[kind])[0]
        if kind != _ARRAY:
            raise ValueError(f"it has a value of the unknown type {kind}")
        inner, length = self._numbers("IQ")
        if inner in _SCALARS:
            self._position += length * struct.calcsize(_SCALARS[inner])
        else:
            for _ in range(length):
                self._value(inner)
        return length

    def _text(self) -> str:
        (length,) = self._numbers("Q")
        begin, self._position = self._position, self._position + length
        if self._position > len(self._data):
            raise ValueError("it is cut off")
        return self._data[begin : self._position].decode("utf-8")

    def _numbers(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{layout}", self._data, self._position)
        self._position += struct.calcsize(f"<{layout}")
        return values
