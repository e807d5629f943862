"""Which token sequence of a growing collection is most similar to this one, if any is above a threshold?

Exact ROUGE-L F1, yet most of the collection is never looked at. A sequence of m tokens is above threshold t against one
of n only if they share at least s = t(m + n)/2 tokens (as multisets). So (1) n lies in a window around m; (2) of any
m - s + 1 tokens of the query one is shared: the lists of the sequences of about n tokens that hold its rarest tokens
contain all that count; (3) a few bits kept for every sequence tell of most other tokens that they are not in it. What
is left, a handful, goes to rapidfuzz's bit-parallel LCS, in which a token is a character.

The k-th "the" of a text is a feature of its own, so that shared features are shared tokens. Rarity is the present
number of holders: nothing is ever sorted anew. Memory: about 0.25 kB for a sequence of 16 tokens.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist

from ..core.rouge import Coded, as_characters, f1

_UNKNOWN = 0
"""The number of every token that the collection has not; it equals nothing there."""
_MARGIN = 1e-9
"""Bounds are rounded otherwise than scores; they are loosened by this."""
_MANY = 24
"""From so many comparisons on, one call of cdist is cheaper than a call for each."""
_AT_ONCE = 256
"""So many sequences are compared before the search for the nearest asks again whether any can be nearer."""
_GROWTH = 1.3
"""Of the lengths in one list the largest is at most so many times the smallest."""
_ALL_BITS = (1 << 64) - 1
_BITS = [1 << bit for bit in range(128)]


class TokenIndex:
    """A growing collection of token sequences, numbered from 0 as they come."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._numbers: dict[str, int] = {}  # of features
        self._frequencies = [0]  # by feature: sequences that have it
        self._holders: dict[int, array[int]] = {}  # by feature * 256 + band of lengths: these sequences, ascending
        self._coded: list[Coded] = []
        self._lengths = array("i")
        # By sequence 3 x 64 bits, unset where a feature is there; the first word counts all features, the others half.
        self._lacking = (array("Q"), array("Q"), array("Q"))
        self._seen: set[int] = set()  # lengths
        self._plans: dict[int, _Plan] = {}

    def __len__(self) -> int:
        return len(self._coded)

    def add(self, tokens: Sequence[str]) -> None:
        """Put a sequence into the collection."""
        index, known = len(self._coded), self._numbers
        features = _features(tokens)
        band = _band(len(tokens))
        if len(tokens) not in self._seen:
            self._seen.add(len(tokens))
            self._plans.clear()
        numbers = []
        for feature in features:
            number = known.get(feature)
            if number is None:
                number = known[feature] = len(self._frequencies)
                self._frequencies.append(0)
            self._frequencies[number] += 1
            holders = self._holders.get(number << 8 | band)
            if holders is None:
                self._holders[number << 8 | band] = array("i", (index,))
            else:
                holders.append(index)
            numbers.append(number)
        self._coded.append(as_characters(numbers if features is tokens else [known[token] for token in tokens]))
        self._lengths.append(len(tokens))
        for lacking, word in zip(self._lacking, _signature(numbers), strict=True):
            lacking.append(_ALL_BITS ^ word)

    def most_similar(self, tokens: Sequence[str]) -> tuple[int, float] | None:
        """The sequence of the largest score among those above the threshold, the earliest of equals, and its score."""
        length = len(tokens)
        plan = self._plans.get(length) or self._make_plan(length)
        known = [number for number in map(self._numbers.get, _features(tokens)) if number is not None]
        num_unknown = length - len(known)
        if num_unknown > plan.most_lacking:
            return None
        indices = self._candidates(known, num_unknown, plan)
        if not indices:
            return None
        coded = as_characters([self._numbers.get(token, _UNKNOWN) for token in tokens])
        others = [self._coded[index] for index in indices]
        if len(indices) < _MANY:
            lcs = [LCSseq.similarity(coded, other) for other in others]
        else:
            lcs = cdist([coded], others, scorer=LCSseq.similarity, dtype=np.int32)[0].tolist()
        best, best_score = -1, self._threshold
        for index, common, other in zip(indices, lcs, others, strict=True):
            score = f1(common, length, len(other))
            if score > best_score:
                best, best_score = index, score
        return (best, best_score) if best >= 0 else None

    def nearest(self, tokens: Sequence[str]) -> tuple[int, float] | None:
        """The sequence of the largest score, whatever the threshold; None: no sequence shares a token with this one.

        Slower than `most_similar` where that finds nothing: shared tokens are counted for the whole collection, and
        sequences are compared in the order of the score that their count allows, until none can be larger.
        """
        found = self.most_similar(tokens)
        if found is not None:
            return found
        bands = sorted({_band(length) for length in self._seen})
        known = [number for number in map(self._numbers.get, _features(tokens)) if number is not None]
        keys = [number << 8 | band for number in known for band in bands]
        lists = [holders for key in keys if (holders := self._holders.get(key)) is not None]
        if not lists:
            return None
        num_shared = np.bincount(np.frombuffer(b"".join(lists), np.int32))
        indices = np.flatnonzero(num_shared)
        bounds = 2 * num_shared[indices] / (len(tokens) + np.frombuffer(self._lengths, np.int32)[indices])
        order = np.argsort(-bounds, kind="stable")
        coded = as_characters([self._numbers.get(token, _UNKNOWN) for token in tokens])
        best, best_score = -1, 0.0
        for start in range(0, len(order), _AT_ONCE):
            chunk = order[start : start + _AT_ONCE]
            if bounds[chunk[0]] < best_score - _MARGIN:
                break
            others = [self._coded[index] for index in indices[chunk]]
            lcs = cdist([coded], others, scorer=LCSseq.similarity, dtype=np.int32)[0].tolist()
            for index, common, other in zip(indices[chunk].tolist(), lcs, others, strict=True):
                score = f1(common, len(tokens), len(other))
                if score > best_score or (score == best_score and index < best):
                    best, best_score = index, score
        return best, best_score

    def _candidates(self, known: list[int], num_unknown: int, plan: _Plan) -> list[int]:
        """The sequences, ascending, that lack few enough of the query's features as far as lists and bits tell."""
        signature = _signature(known)
        known.sort(key=self._frequencies.__getitem__)
        lists, sizes, limits = [], [], []
        for band, most_lacking in plan.bands:
            limit = most_lacking - num_unknown
            if limit >= 0:
                for number in known[: limit + 1]:
                    holders = self._holders.get(number << 8 | band)
                    if holders is not None:
                        lists.append(holders)
                        sizes.append(len(holders))
                        limits.append(min(limit, 64))
        if not lists:
            return []
        indices = np.frombuffer(b"".join(lists), np.int32)
        indices = indices[self._num_lacking(0, indices, signature) <= np.repeat(np.array(limits, np.uint8), sizes)]
        if len(indices):
            lacking = self._num_lacking(1, indices, signature) + self._num_lacking(2, indices, signature)
            allowed = plan.allowance[np.frombuffer(self._lengths, np.int32)[indices]]
            indices = indices[lacking <= allowed - num_unknown]
        return sorted(set(indices.tolist()))

    def _num_lacking(self, word: int, indices: np.ndarray, signature: tuple[int, int, int]) -> np.ndarray:
        """How many bits of a word of the signature are not set for these sequences; uint8 (indices,)."""
        lacking = np.frombuffer(self._lacking[word], np.uint64)[indices]
        lacking &= np.uint64(signature[word])
        return np.bitwise_count(lacking)

    def _make_plan(self, length: int) -> _Plan:
        other = np.arange(max(self._seen, default=0) + 1)
        needed = np.maximum(1, np.ceil(self._threshold * (length + other) / 2 - _MARGIN))
        allowance = np.where(needed <= np.minimum(other, length), length - needed, -1).astype(np.int32)
        bands: dict[int, int] = {}
        for seen in sorted(self._seen):
            if allowance[seen] >= 0:
                band = _band(seen)
                bands[band] = max(bands.get(band, -1), int(allowance[seen]))
        plan = _Plan(list(bands.items()), max(bands.values(), default=-1), allowance)
        self._plans[length] = plan
        return plan


@dataclass(frozen=True)
class _Plan:
    """What a query of one length has to look at.

    `bands`: each band of lengths that can be similar, with the most features of the query that one of it may lack;
    `most_lacking`: the largest of these, -1 if there is none; `allowance`: the same for every length from 0, int32.
    """

    bands: list[tuple[int, int]]
    most_lacking: int
    allowance: np.ndarray


_BAND_STARTS = [1]
while _BAND_STARTS[-1] < 1 << 31:
    _BAND_STARTS.append(max(_BAND_STARTS[-1] + 1, int(_BAND_STARTS[-1] * _GROWTH) + 1))
assert len(_BAND_STARTS) < 256


def _band(length: int) -> int:
    return bisect_right(_BAND_STARTS, length)


def _signature(numbers: Sequence[int]) -> tuple[int, int, int]:
    """64 bits that stand for all features, then 2 x 64 bits that stand for half of them each."""
    bits = 0
    for number in numbers:
        bits |= _BITS[number & 127]
    low, high = bits & _ALL_BITS, bits >> 64
    return low | high, low, high


def _features(tokens: Sequence[str]) -> Sequence[str]:
    if len(set(tokens)) == len(tokens):
        return tokens
    counts: dict[str, int] = {}
    features = []
    for token in tokens:
        count = counts[token] = counts.get(token, 0) + 1
        features.append(token if count == 1 else f"{token} {count}")
    return features
