"""GGUF files: which one a path means, what the header says, and each wrong file as one line with a remedy."""

import importlib.util
import struct

import pytest

from selfinstruct_train.core.gguf import gguf_file, quantization, read_header, weights_origin
from selfinstruct_train.core.model_source import check_model_source, fingerprint, weights_revision


def text(value):
    return struct.pack("<Q", len(value.encode())) + value.encode()


def header(version=3, **entries):
    """A file without tensors; a value is a text, an int (uint32) or a list of texts."""
    data = b"GGUF" + struct.pack("<IQQ", version, 0, len(entries))
    for key, value in entries.items():
        data += text(key.replace("__", "."))
        if isinstance(value, str):
            data += struct.pack("<I", 8) + text(value)
        elif isinstance(value, int):
            data += struct.pack("<II", 4, value)
        else:
            data += struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
    return data


def written(path, **entries):
    path.write_bytes(header(**entries))
    return path


def test_the_header_gives_texts_and_numbers(tmp_path):
    file = written(
        tmp_path / "a.gguf", general__architecture="llama", tokens=["<s>", "caf\u00e9"], general__file_type=15
    )
    entries = read_header(file)
    assert (entries["general.architecture"], entries["general.file_type"]) == ("llama", 15)
    assert "tokens" not in entries
    assert quantization(file) == "Q4_K_M"
    assert quantization(written(tmp_path / "b.gguf", general__architecture="llama")) == "an unknown type"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 and more", "magic invalid"),
        (header(version=1), "version 1 which we cannot handle"),
        (header(general__architecture="llama")[:-14], ""),
    ],
)
def test_what_is_no_gguf_file_is_refused_with_the_reason(tmp_path, data, reason):
    file = tmp_path / "a.gguf"
    file.write_bytes(data)
    with pytest.raises(ValueError, match=f"a.gguf' is no readable GGUF file: .*{reason}"):
        check_model_source(str(file))


def test_a_path_means_a_file_or_the_only_one_in_a_folder(tmp_path):
    file = written(tmp_path / "Model.GGUF")
    (tmp_path / "README.md").write_text("x")
    assert gguf_file(file) == gguf_file(str(tmp_path)) == file
    assert gguf_file(tmp_path / "README.md") is None
    assert gguf_file("some/model.gguf") is None
    (tmp_path / "model.safetensors").write_text("x")
    assert gguf_file(tmp_path) is None
    assert gguf_file(file) == file


def test_several_files_in_a_folder_are_named(tmp_path):
    written(tmp_path / "a-Q4_K_M.gguf")
    written(tmp_path / "a-Q8_0.gguf")
    with pytest.raises(ValueError, match=r"holds 2 GGUF files \(a-Q4_K_M.gguf, a-Q8_0.gguf\); give one of them"):
        check_model_source(str(tmp_path))
    check_model_source(str(tmp_path / "a-Q8_0.gguf"))


def test_parts_of_a_split_model_are_refused_with_the_remedy(tmp_path):
    parts = [written(tmp_path / f"big-0000{n}-of-00002.gguf") for n in (1, 2)]
    message = "big-00001-of-00002.gguf is one of 2 parts .* llama-gguf-split --merge FIRST_PART OUT.gguf"
    for source in (parts[0], tmp_path):
        with pytest.raises(ValueError, match=message):
            check_model_source(str(source))
    renamed = written(tmp_path / "part.gguf", split__count=3)
    with pytest.raises(ValueError, match=r"part.gguf is one of 3 parts"):
        check_model_source(str(renamed))
    check_model_source(str(written(tmp_path / "whole-00001-of-00001.gguf", split__count=1)))


def test_without_the_package_one_line_names_the_extra(tmp_path, monkeypatch):
    file = written(tmp_path / "a.gguf")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "gguf" else find(name))
    with pytest.raises(ValueError, match=r"needs the package gguf; pip install 'selfinstruct-train\[gguf\]'"):
        check_model_source(str(file))


def test_the_fingerprint_covers_the_whole_header_and_the_weights(tmp_path):
    file = tmp_path / "a.gguf"
    data = bytearray(48 << 20)
    seen = set()
    for place in (None, 0, 1 << 16, (1 << 25) - 1, (48 << 20) // 64 * 60):
        changed = bytearray(data)
        if place is not None:
            changed[place] = 1
        file.write_bytes(changed)
        seen.add(fingerprint(file))
    assert len(seen) == 5
    assert fingerprint(tmp_path) == fingerprint(file) == weights_revision(str(file), None, None)
    renamed = file.rename(tmp_path / "b.gguf")
    assert fingerprint(renamed) not in seen


def test_a_card_tells_dequantised_weights_from_others():
    assert weights_origin("Q4_K_M") == "dequantised from Q4_K_M by transformers"
    assert weights_origin("BF16") == "read from GGUF in BF16 by transformers"
