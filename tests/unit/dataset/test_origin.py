"""Where rows come from, written beside them and read again."""

import pytest

from selfinstruct_train.dataset.origin import Origin, read_origin, write_origin


def test_what_is_written_is_read_again(tmp_path):
    origin = Origin(
        "Aufgaben: übersetzt", "Some\ntasks.", "other", "Ask.", {"sources": ["a", "b"], "max_per_task": None}
    )
    assert write_origin(tmp_path, origin) == tmp_path / "origin.yaml"
    assert read_origin(tmp_path) == origin
    assert read_origin(tmp_path / "elsewhere") is None


@pytest.mark.parametrize("content", ["{", "title: x", "[1]", "title: 1\ntext: a\nlicense: b\nlicense_reason: c"])
def test_another_file_of_that_name_is_one_line(tmp_path, content):
    (tmp_path / "origin.yaml").write_text(content)
    with pytest.raises(ValueError, match=r"origin.yaml: .*delete it") as raised:
        read_origin(tmp_path)
    assert "\n" not in str(raised.value)
