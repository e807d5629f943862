"""The public names stand where README says, and do what its example says."""

import re
from pathlib import Path
from typing import Any

import pytest

README = Path(__file__).parents[2] / "README.md"
NAMES = {"parse_instructions", "parse_instances", "instruction_prompt", "score_predictions", "NoveltyIndex"}


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    """What the code under "Use as a library" leaves behind."""
    section = README.read_text(encoding="utf-8").partition("## Use as a library")[2]
    code = re.search(r"```python\n(.*?)```", section, re.S)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)
    return names


def test_each_public_name_is_imported_from_the_place_that_readme_names(example):
    assert set(example) >= NAMES


def test_the_example_gives_what_its_comments_say(example):
    assert example["prompt"].endswith("2. Write a poem about spring.\n3.")
    assert example["new"] == ["Write a poem about autumn.", "Sort these words by length."]
    assert example["pairs"] == [("b a", "a b")]
    index = example["index"]
    assert [index.is_novel(text) for text in example["new"]] == [False, True]
    assert (example["score"], example["text"]) == (pytest.approx(0.8), "Write a poem about spring.")
    scores = example["score_predictions"](["a b"], [["a b c"]])
    assert scores == {"rougeL": 80.0, "rouge1": 80.0, "exact_match": 0.0}
