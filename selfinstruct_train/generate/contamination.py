"""Do rows overlap evaluation data? Four rules, of which the first that holds is told.

`equal`     the row's input or its instruction is a whole evaluation input or instruction of 4 words or more;
`instance`  a shorter input is equal and so is the output: that example itself;
`ngram`     so many words in a row are shared (13), or a whole evaluation text of 8 words or more that is shorter;
`rouge_l`   instruction and instruction, or input and input, of 8 words or more, are more similar than the threshold.

Outputs alone never count: "Yes" is everyone's. The rows are held in memory and the evaluation data pass by once, so
that hundreds of thousands of evaluation examples need no room. Paraphrases and translations are not found.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..config import ContaminationConfig
from ..core.records import EvaluationExample, Row
from .novelty import NoveltyIndex
from .tokenize import unicode_words

MIN_EQUAL_WORDS = 4
MIN_SHARED_WORDS = 8  # GPT-3 paper, appendix C: 8 to 13 words in a row, by the lengths of the evaluation set
RULES = ("equal", "instance", "ngram", "rouge_l")

_QUOTES = "\"'\u201c\u201d\u2018\u2019\u00ab\u00bb"
_STOPS = " .!?\u3002\u0964\u061f"  # those of Chinese, Hindi and Arabic too, where NFKC makes them no others
_FIELD_NAME = re.compile(r"^[^\W\d_]+(?: [^\W\d_]+)?: ")
_BATCH_WORDS = 200_000
_BATCH_TEXTS = 5_000


@dataclass(frozen=True)
class Overlap:
    """What a row has in common with an evaluation example: `text` is the evaluation text, or the words shared."""

    set: str
    id: str
    rule: str
    text: str

    def __str__(self) -> str:
        return f'{self.rule}, "{self.text}" of {self.id} in {self.set}'


def find_overlaps(
    rows: Sequence[Row], evaluation_data: Iterable[EvaluationExample], settings: ContaminationConfig
) -> list[Overlap | None]:
    """For every row the first overlap by the order of `RULES`, then by the order of the evaluation data."""
    found = _Found(len(rows))
    equal = _EqualTexts(rows)
    ngrams = _SharedWords(rows, settings.ngram)
    similar = _SimilarTexts(rows, settings.rouge_l_threshold)
    for example in evaluation_data:
        equal.compare(example, found)
        words = unicode_words(example.input)
        ngrams.compare(example, words)
        similar.compare(example, words)
    ngrams.finish(found)
    similar.finish(found)
    return found.overlaps


def plain_text(text: str) -> str:
    """The text without case, lay-out, a leading field name ("Sentence: "), a final stop and quotation marks around it.

    Signs within it stay.
    """
    text = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return _FIELD_NAME.sub("", text).lstrip(_QUOTES).rstrip(_STOPS + _QUOTES)


class _Found:
    """The overlap of each row by the strongest rule so far."""

    def __init__(self, num_rows: int) -> None:
        self.overlaps: list[Overlap | None] = [None] * num_rows

    def add(self, row: int, example: EvaluationExample, rule: str, text: str) -> None:
        known = self.overlaps[row]
        if known is None or RULES.index(rule) < RULES.index(known.rule):
            self.overlaps[row] = Overlap(example.set, example.id, rule, text)


class _EqualTexts:
    """The rules `equal` and `instance`."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._instructions = _places(plain_text(row.instruction) for row in rows)
        self._inputs = _places(plain_text(row.input) for row in rows)
        self._outputs = [plain_text(row.output) for row in rows]
        self._seen = ""

    def compare(self, example: EvaluationExample, found: _Found) -> None:
        if example.instruction != self._seen:  # the examples of a task repeat its definition
            self._seen = example.instruction
            plain = plain_text(example.instruction)
            self._compare_whole(plain, example, example.instruction, found)
        plain = plain_text(example.input)
        if plain and not self._compare_whole(plain, example, example.input, found) and plain in self._inputs:
            outputs = {plain_text(output) for output in example.outputs}
            for row in self._inputs[plain]:
                if self._outputs[row] in outputs:
                    found.add(row, example, "instance", example.input)

    def _compare_whole(self, plain: str, example: EvaluationExample, text: str, found: _Found) -> bool:
        """Add the rows of which it is input or instruction, a question being the one or the other; False: too short."""
        rows = [*self._instructions.get(plain, ()), *self._inputs.get(plain, ())]
        if rows and len(unicode_words(plain)) < MIN_EQUAL_WORDS:
            return False
        for row in rows:
            found.add(row, example, "equal", text)
        return True


class _SharedWords:
    """The rule `ngram`, by hashes of windows of words; what is found is compared word by word before it counts."""

    def __init__(self, rows: Sequence[Row], ngram: int) -> None:
        self._ngram, self._shortest = ngram, min(ngram, MIN_SHARED_WORDS)
        # instruction and input in one text: also what begins in the one and ends in the other
        self._rows_of = _places(f"{row.instruction} {row.input}" for row in rows)
        self._number: dict[str, int] = {}
        self._texts = [
            array("I", (self._number.setdefault(word, len(self._number) + 1) for word in unicode_words(text)))
            for text in self._rows_of
        ]
        self._hashes = np.sort(np.concatenate([hashes for _, hashes, _, _ in self._row_windows(ngram)]))
        # length in words -> hash of such a window -> the evaluation example and its words
        self._hits: dict[int, dict[int, tuple[EvaluationExample, array[int]]]] = {}
        self._batch: list[tuple[EvaluationExample, array[int]]] = []
        self._batch_words = 0
        self._seen = ""
        self._instruction: list[str] = []

    def compare(self, example: EvaluationExample, words: list[str]) -> None:
        if example.instruction != self._seen:
            self._seen, self._instruction = example.instruction, unicode_words(example.instruction)
            self._put(example, self._instruction)
        self._put(example, words)
        if words and max(len(words), len(self._instruction)) < self._shortest:  # short, but not the two together
            self._put(example, self._instruction + words)
        if self._batch_words > _BATCH_WORDS:
            self._look_up()

    def finish(self, found: _Found) -> None:
        self._look_up()
        rows_of, word_of = list(self._rows_of.values()), list(self._number)
        for length, hits in sorted(self._hits.items(), reverse=True):
            wanted = np.array(sorted(hits), np.uint64)
            for first, hashes, of_text, starts in self._row_windows(length):
                for at in np.flatnonzero(_is_in(hashes, wanted)).tolist():
                    example, shared = hits[int(hashes[at])]
                    text, start = first + int(of_text[at]), int(starts[at])
                    if self._texts[text][start : start + length] == shared:
                        for row in rows_of[text]:
                            found.add(row, example, "ngram", " ".join(word_of[number - 1] for number in shared))

    def _row_windows(self, length: int) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
        """The windows of the rows' texts, a part at a time: number of the part's first text, then as `_windows`."""
        for first in range(0, max(1, len(self._texts)), _BATCH_TEXTS):
            yield first, *_windows(self._texts[first : first + _BATCH_TEXTS], length)

    def _put(self, example: EvaluationExample, text: list[str]) -> None:
        if len(text) >= self._shortest:
            self._batch.append((example, array("I", [self._number.get(word, 0) for word in text])))
            self._batch_words += len(text)

    def _look_up(self) -> None:
        """Note the windows of the batch that a row has too; those of whole short texts, whether or not a row has."""
        batch, self._batch, self._batch_words = self._batch, [], 0
        for length in range(self._shortest, self._ngram + 1):
            chosen = [item for item in batch if len(item[1]) == length or len(item[1]) > length == self._ngram]
            hashes, of_text, starts = _windows([text for _, text in chosen], length)
            hits = self._hits.setdefault(length, {})
            is_hit = _is_in(hashes, self._hashes) if length == self._ngram else np.ones(len(hashes), np.bool_)
            for at in np.flatnonzero(is_hit).tolist():
                example, text = chosen[int(of_text[at])]
                hits.setdefault(int(hashes[at]), (example, text[int(starts[at]) : int(starts[at]) + length]))


class _SimilarTexts:
    """The rule `rouge_l`. Evaluation inputs are many: only those near some row's input are kept for the second look."""

    def __init__(self, rows: Sequence[Row], threshold: float) -> None:
        self._threshold = threshold
        self._is_on = threshold < 1  # nothing is more similar than 1
        self._instructions = _long_texts(row.instruction for row in rows) if self._is_on else {}
        self._inputs = _long_texts(row.input for row in rows) if self._is_on else {}
        self._near_inputs = self._index(self._inputs)
        self._held: dict[str, dict[str, EvaluationExample]] = {"instruction": {}, "input": {}}

    def compare(self, example: EvaluationExample, words: list[str]) -> None:
        if not self._is_on:
            return
        instructions, inputs = self._held["instruction"], self._held["input"]
        if example.instruction not in instructions:
            instructions[example.instruction] = example
        text = example.input
        if text not in inputs and len(words) >= MIN_SHARED_WORDS and not self._near_inputs.is_novel(text):
            inputs[text] = example

    def finish(self, found: _Found) -> None:
        for field, rows_of_text in (("instruction", self._instructions), ("input", self._inputs)):
            held = self._held[field]
            index = self._index(text for text in held if len(unicode_words(text)) >= MIN_SHARED_WORDS)
            for text, rows in rows_of_text.items():
                if match := index.check(text):
                    for row in rows:
                        found.add(row, held[match.text], "rouge_l", match.text)

    def _index(self, texts: Iterable[str]) -> NoveltyIndex:
        index = NoveltyIndex(self._threshold)
        for text in texts:
            index.add(text)
        return index


def _places(texts: Iterable[str]) -> dict[str, list[int]]:
    """Each different text with the rows that have it."""
    rows_of_text: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        rows_of_text.setdefault(text, []).append(row)
    return rows_of_text


def _long_texts(texts: Iterable[str]) -> dict[str, list[int]]:
    return {text: rows for text, rows in _places(texts).items() if len(unicode_words(text)) >= MIN_SHARED_WORDS}


def _windows(texts: Sequence[array[int]], length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hash every window of `length` known words (numbers above 0).

    Returns:
        hash uint64, number of the text, start in the text; each (windows,).
    """
    sizes = np.array([len(text) for text in texts], np.int64)
    first = np.cumsum(sizes) - sizes
    numbers = np.frombuffer(b"".join(texts), np.uint32).astype(np.uint64)
    num_windows = max(0, len(numbers) - length + 1)
    of_text = np.repeat(np.arange(len(texts)), sizes)
    unknown = np.concatenate([[0], np.cumsum(numbers == 0)])
    is_whole = of_text[:num_windows] == of_text[length - 1 :][:num_windows]
    is_known = unknown[length:][:num_windows] == unknown[:num_windows]
    at = np.flatnonzero(is_whole & is_known)
    mixed = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    hashes = np.zeros(len(at), np.uint64)
    for offset in range(length):
        hashes = hashes * np.uint64(0xBF58476D1CE4E5B9) + mixed[at + offset]
        hashes ^= hashes >> np.uint64(32)
    return hashes, of_text[at], at - first[of_text[at]]


def _is_in(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """Which of the values stand in an ordered array; bool (values,)."""
    if not len(ordered):
        return np.zeros(len(values), np.bool_)
    found: np.ndarray = ordered[np.searchsorted(ordered, values).clip(max=len(ordered) - 1)] == values
    return found
