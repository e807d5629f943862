"""Does an instance repeat the few-shot text that the model was shown? Three rules; the first that holds is reported.

`ngram`     its input or its output shares 8 consecutive words with the few-shot text;
`equal`     its input or its output is shorter, has at least 4 words, and is a whole line of that text;
`instance`  its input and its output are the input line and the output line of one example.

Words of the instance's own instruction do not count for the first two rules. A label or a number alone never counts.
Instructions are not compared: stage 1 does not see these examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from ..contamination import MIN_EQUAL_WORDS, MIN_SHARED_WORDS, Overlap, plain_text
from ..tokenize import unicode_words
from .parse import CLASS_LABEL
from .prompts import Templates, template_name

REPEATS_EXAMPLE = "repeats_example"
"""The verdict on an instance that repeats a few-shot example of its own prompt."""
_SET = "generate.templates"
_TASK, _EXAMPLE, _OUTPUT = "Task:", "Example", "Output:"
"""How lines of a few-shot text begin, besides `CLASS_LABEL`."""


def repeated_example(
    templates: Templates, is_classification: bool, instruction: str, input: str, output: str
) -> Overlap | None:
    """Return what an instance has in common with the few-shot text of its prompt, or None."""
    name = template_name(is_classification)
    shown = _shown(getattr(templates, name))
    found = shown.find(instruction, input, output)
    return None if found is None else Overlap(_SET, f"{name}.txt", *found)


class _Shown:
    """The words and lines of a few-shot text."""

    def __init__(self, text: str) -> None:
        self._ngrams = frozenset(_ngrams(unicode_words(text)))
        self._lines = frozenset(plain_text(line) for line in text.split("\n") if line.strip())
        self._instances = frozenset(_instances(text))

    def find(self, instruction: str, input: str, output: str) -> tuple[str, str] | None:
        """Return the rule that holds and the text that is repeated, or None."""
        plain = plain_text(input), plain_text(output)
        for text, plain_form in zip((input, output), plain, strict=True):
            words = unicode_words(text)
            if shared := self._shared_words(words, instruction):
                return "ngram", shared
            is_line = MIN_EQUAL_WORDS <= len(words) < MIN_SHARED_WORDS and plain_form in self._lines
            if is_line and not _has_words(instruction, words):
                return "equal", text
        if all(plain) and plain in self._instances:
            return "instance", f"{input}\n{output}"
        return None

    def _shared_words(self, words: list[str], instruction: str) -> str:
        """The first words in a row that the few-shot text has too and the instruction has not; "" if there are none."""
        ngrams = _ngrams(words)
        if self._ngrams.isdisjoint(ngrams):
            return ""
        own = set(_ngrams(unicode_words(instruction)))
        return next((" ".join(n) for n in ngrams if n in self._ngrams and n not in own), "")


@lru_cache(maxsize=8)
def _shown(text: str) -> _Shown:
    return _Shown(text)


def _instances(text: str) -> Iterator[tuple[str, str]]:
    """Yield input and output of the examples, one line each, in the form of `plain_text`."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    for line, after in pairwise(lines):
        if line.startswith(CLASS_LABEL):
            yield plain_text(after), plain_text(line)
        elif after.startswith(_OUTPUT) and not line.startswith((_TASK, _EXAMPLE)):
            yield plain_text(line), plain_text(after)


def _has_words(text: str, words: list[str]) -> bool:
    return f" {' '.join(words)} " in f" {' '.join(unicode_words(text))} "


def _ngrams(words: list[str]) -> list[tuple[str, ...]]:
    return list(zip(*(words[start:] for start in range(MIN_SHARED_WORDS)), strict=False))
