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


def test_the_header_gives_texts_numbers_and_the_lengths_of_arrays(tmp_path):
    file = written(
        tmp_path / "a.gguf", general__architecture="llama", tokens=["<s>", "caf\u00e9"], general__file_type=15
    )
    assert read_header(file) == {"general.architecture": "llama", "tokens": 2, "general.file_type": 15}
    assert quantization(file) == "Q4_K_M"
    assert quantization(written(tmp_path / "b.gguf", general__architecture="llama")) == "an unknown type"


def test_every_type_of_number_is_read(tmp_path):
    kinds = [(0, "B"), (1, "b"), (2, "H"), (3, "h"), (4, "I"), (5, "i"), (6, "f"), (7, "?"), (10, "Q"), (11, "q")]
    kinds.append((12, "d"))
    body = b"".join(text(code) + struct.pack("<I", kind) + struct.pack(f"<{code}", 1) for kind, code in kinds)
    array = text("array") + struct.pack("<IIQ3h", 9, 3, 3, 7, 8, 9)
    file = tmp_path / "a.gguf"
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(kinds) + 2) + body + array + text("x") + b"\x08\0\0\0")
    with pytest.raises(ValueError, match="no readable GGUF file"):  # the last text has no length
        read_header(file)
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(kinds) + 1) + body + array)
    assert read_header(file) == {code: 1 for _, code in kinds} | {"array": 3}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 and more", "does not begin with GGUF"),
        (header(version=1), "version 1; 2 and 3 can be read"),
        (header(general__architecture="llama")[:-2], "cut off"),
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
