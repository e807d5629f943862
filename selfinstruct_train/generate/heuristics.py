"""The paper's rules for what is no usable instruction or instance, each with the name that the funnel counts it under.

Numbers and words are those of the released code (bootstrap_instructions.py, prepare_for_finetuning.py).
Similarity to the pool is not looked at here (novelty.py). With language "any" a first letter beyond ASCII is no fault,
and length is counted in characters where a script has no spaces; the keywords stay English.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from typing import Literal

from ..core.names import KEPT
from .tokenize import count_words

Language = Literal["english", "any"]


_MIN_WORDS = 4
_MAX_WORDS = 150
_CHARACTERS_PER_WORD = 3
"""Of scripts without spaces, where a text is long. Four characters may be an instruction ("写一首诗": write a poem), so
where it is short a character counts as a word."""
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


def instruction_verdict(text: str, language: Language = "english") -> str:
    """Return "kept" or the name of the first rule that the instruction breaks.

    `text` is stripped. Whether a model must write a program or give its result is unclear, so "Write a program" goes.
    """
    num_words, num_characters = (len(text.split()), 0) if language == "english" else count_words(text)
    if not text:
        return "empty"
    if num_words + num_characters < _MIN_WORDS:
        return "too_short"
    if num_words + num_characters / _CHARACTERS_PER_WORD > _MAX_WORDS:
        return "too_long"
    if _KEYWORD_PATTERN.search(text):
        return "keyword"
    if text.capitalize().startswith("Write a program"):  # in any case of letters, as the released code has it
        return "write_a_program"
    if text[0] in string.punctuation:
        return "punctuation"
    if language == "english" and not text[0].isascii():
        return "non_ascii"
    return KEPT


def instance_verdict(input: str, output: str) -> str:
    """Return "kept" or the name of the first rule that the instance breaks; both texts are stripped."""
    if not output:
        return "no_output"
    if input == output:
        return "input_equals_output"
    if input.endswith(":") or output.endswith(":"):
        return "ends_with_colon"  # an unfinished text, as a rule
    return KEPT


def instance_verdicts(pairs: Sequence[tuple[str, str]]) -> list[str]:
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
