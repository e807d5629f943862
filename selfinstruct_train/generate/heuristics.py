"""The paper's rules for what is no usable instruction or instance, each with the name that the funnel counts it under.

Numbers and words are those of the released code (bootstrap_instructions.py, prepare_for_finetuning.py).
Similarity to the pool is not judged here (novelty.py).
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

KEPT = "kept"

_MIN_WORDS = 4
_MAX_WORDS = 150
# Things that a language model cannot see, open or draw.
_KEYWORDS = (
    "image",
    "images",
    "graph",
    "graphs",
    "picture",
    "pictures",
    "file",
    "files",
    "map",
    "maps",
    "draw",
    "plot",
)
_KEYWORD_PATTERN = re.compile(rf"\b({'|'.join([*_KEYWORDS, 'go to'])})\b", re.IGNORECASE)


def judge_instruction(text: str) -> str:
    """Return "kept" or the name of the first rule that the instruction breaks.

    `text` is stripped. Whether a model must write a program or give its result is unclear, so "Write a program" goes.
    """
    num_words = len(text.split())
    if num_words == 0:
        return "empty"
    if num_words < _MIN_WORDS:
        return "too_short"
    if num_words > _MAX_WORDS:
        return "too_long"
    if _KEYWORD_PATTERN.search(text):
        return "keyword"
    if text.capitalize().startswith("Write a program"):  # in any case of letters, as the released code has it
        return "write_a_program"
    if text[0] in string.punctuation:
        return "punctuation"
    if not text[0].isascii():
        return "non_ascii"
    return KEPT


def judge_instance(input: str, output: str) -> str:
    """Return "kept" or the name of the first rule that the instance breaks; both texts are stripped."""
    if not output:
        return "no_output"
    if input == output:
        return "input_equals_output"
    if input.endswith(":") or output.endswith(":"):
        return "ends_with_colon"  # an unfinished text, as a rule
    return KEPT


def judge_together(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Judge the (input, output) pairs of one instruction against each other.

    Two outputs to one non-empty input show that the model did not understand the task: all its pairs go. Of equal pairs
    the first stays.
    """
    output_of: dict[str, str] = {}
    for input, output in pairs:
        if input and output_of.setdefault(input, output) != output:
            return ["conflicting_outputs"] * len(pairs)
    seen: set[tuple[str, str]] = set()
    verdicts = []
    for pair in pairs:
        verdicts.append("duplicate" if pair in seen else KEPT)
        seen.add(pair)
    return verdicts
