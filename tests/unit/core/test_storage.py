"""Derived files: old or new, never half."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from selfinstruct_train.core import storage
from selfinstruct_train.core.storage import (
    read_object,
    sha256_of,
    text_sha256,
    write_atomically,
    write_json,
    write_jsonl,
)


def test_a_full_disk_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "folder/file"
    write_atomically(path, b"old")

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(storage.os, "fsync", full)
    with pytest.raises(OSError, match=r"file: cannot be written: No space left on device; mend that") as error:
        write_atomically(path, b"new")
    assert error.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_json_is_readable_text(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"x": "é"})
    write_jsonl(tmp_path / "a.jsonl", [{"x": 1}, {"x": "\n"}])
    assert (tmp_path / "a.json").read_text() == '{\n  "x": "é"\n}\n'
    assert (tmp_path / "a.jsonl").read_text() == '{"x": 1}\n{"x": "\\n"}\n'


def test_a_checksum_is_that_of_the_files_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")  # the example of FIPS 180-2
    assert sha256_of(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_checksum_of_texts_tells_where_each_ends() -> None:
    assert text_sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2
    assert text_sha256("ab", "c") != text_sha256("a", "bc") != text_sha256("abc")
    assert len(text_sha256("half a pair: \ud800")) == 64


@pytest.mark.parametrize(("text", "why"), [("{", "not JSON"), ("[1]", "not an object")])
def test_what_is_no_object_of_json_is_told_with_its_file(tmp_path, text, why):
    file = tmp_path / "review.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=rf"review\.json: {why}.*; delete it, or run the command that writes it again"):
        read_object(file)
    file.write_text('{"n": 1}')
    assert read_object(file) == {"n": 1}
