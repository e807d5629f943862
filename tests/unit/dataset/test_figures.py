"""What the pictures draw, counted by hand; that they are pictures."""

from __future__ import annotations

import struct

import pytest

from selfinstruct_train.dataset.figures import (
    Histogram,
    Spoke,
    draw_lengths,
    draw_similarity,
    draw_wheel,
    length_histogram,
    similarity_histogram,
    spread,
    wheel,
)
from selfinstruct_train.dataset.verbs import VerbNoun

PAIRS = [
    *[VerbNoun("write", "poem")] * 3,
    *[VerbNoun("write", "letter")] * 2,
    VerbNoun("write", "essay"),
    *[VerbNoun("sort", "list")] * 2,
    VerbNoun("sort", "word"),
    None,
    VerbNoun("add", "number"),
    VerbNoun("name", "town"),
]


def test_the_wheel_holds_the_most_frequent_verbs_with_their_most_frequent_nouns() -> None:
    assert wheel(PAIRS, num_verbs=3, num_nouns=2) == [
        Spoke("write", 6, (("poem", 3), ("letter", 2))),
        Spoke("sort", 3, (("list", 2), ("word", 1))),
        Spoke("add", 1, (("number", 1),)),  # as frequent as "name", first in the alphabet
    ]
    assert wheel(PAIRS, num_verbs=1, num_nouns=2)[0].drawn == 5
    assert wheel([None]) == []


def test_lengths_are_counted_in_words() -> None:
    assert length_histogram(["a b", "a\nb", "", "a b c d"], num_bins=5) == Histogram(
        edges=(-0.5, 0.5, 1.5, 2.5, 3.5, 4.5), counts=(1, 0, 2, 0, 1), mean=2.0
    )


def test_the_longest_hundredth_falls_into_the_last_bin() -> None:
    texts = ["a"] * 198 + ["a b c"] + ["a " * 90] * 1
    histogram = length_histogram(texts, num_bins=10)
    assert histogram.edges == (-0.5, 0.5, 1.5)
    assert histogram.counts == (0, 200)
    assert histogram.open_ended
    assert histogram.mean == pytest.approx((198 + 3 + 90) / 200)


def test_similarities_fall_into_bins_of_a_twentieth() -> None:
    histogram = similarity_histogram([0.0, 0.049, 0.15, 0.3, 0.999, 1.0])
    assert [i for i, count in enumerate(histogram.counts) if count] == [0, 3, 6, 19]
    assert histogram.counts[0] == 2
    assert histogram.counts[19] == 2
    assert histogram.edges[3] == pytest.approx(0.15)


def test_labels_move_apart_as_little_as_needed() -> None:
    assert spread([0.0, 10.0, 20.0], 5.0) == [0.0, 10.0, 20.0]
    assert spread([10.0, 10.0, 10.0], 5.0) == [5.0, 10.0, 15.0]
    assert spread([], 5.0) == []


def _size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_the_pictures_are_png_files_of_their_size_and_the_same_bytes_again() -> None:
    spokes = wheel(PAIRS)
    assert _size(draw_wheel(spokes)) == (1350, 1350)
    assert draw_wheel(spokes) == draw_wheel(spokes)
    assert _size(draw_wheel(spokes[:1])) == (1350, 1350)
    lengths = [("instructions", length_histogram(["a b", "c"])), ("outputs", length_histogram([]))]
    assert _size(draw_lengths(lengths)) == (1200, 510)
    assert _size(draw_similarity(similarity_histogram([0.2, 0.4]), 0.7)) == (1050, 570)


def test_more_pairs_make_another_picture() -> None:
    assert draw_wheel(wheel(PAIRS)) != draw_wheel(wheel(PAIRS[:9]))
