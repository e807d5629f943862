"""Novelty: the scores and decisions of rouge_score, on made and on real instructions."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score import rouge_scorer
from rouge_score import tokenize as rouge_tokenize

from selfinstruct_train.generate.novelty import NoveltyIndex, tokenize

SCORER = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
# Few letters, so that random texts share tokens in many orders; signs and scripts that the tokenizer drops.
TEXTS = st.lists(
    st.sampled_from(["a", "b", "c", "the", "THE", "x1", "don't", "é", "猫", "K", "-", "3.5"]), max_size=14
).map(" ".join)


def reference(text: str, other: str) -> float:
    return float(SCORER.score(text, other)["rougeL"].fmeasure)


@given(TEXTS | st.text(max_size=40))
def test_tokens_are_those_of_rouge_score(text: str) -> None:
    assert tokenize(text) == rouge_tokenize.tokenize(text, None)


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, max_size=12), TEXTS)
def test_nearest_is_the_first_text_with_rouge_scores_largest_score(pool: list[str], text: str) -> None:
    index = NoveltyIndex(0.7)
    for other in pool:
        index.add(other)
    scores = [reference(text, other) for other in pool]
    best = max(scores, default=0.0)
    assert index.nearest(text) == (best, pool[scores.index(best)] if best > 0 else None)


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, max_size=8), TEXTS, st.integers(0, 20).map(lambda n: n / 20))
def test_a_text_is_novel_unless_a_score_is_above_the_threshold(pool: list[str], text: str, threshold: float) -> None:
    index = NoveltyIndex(threshold)
    for other in pool:
        index.add(other)
    assert index.is_novel(text) == all(reference(text, other) <= threshold for other in pool)


def test_a_score_at_the_threshold_passes_as_in_rouge_score() -> None:
    ten = "a b c d e f g h i j"
    seven_shared = "a b c d e f g 1 2 3"
    index = NoveltyIndex(0.7)
    index.add(ten)
    assert index.nearest(seven_shared) == (reference(seven_shared, ten), ten)
    assert index.is_novel(seven_shared) == (reference(seven_shared, ten) <= 0.7)
    assert not index.is_novel("a b c d e f g h 2 3")


def test_every_pair_of_lengths_and_overlaps_up_to_30_gives_the_same_float_as_rouge_score() -> None:
    for length in range(1, 31):
        for other_length in range(1, 31):
            for lcs in range(1, min(length, other_length) + 1):
                precision, recall = lcs / other_length, lcs / length
                index = NoveltyIndex(0.7)
                index.add(" ".join([*(f"s{i}" for i in range(lcs)), *(f"o{i}" for i in range(other_length - lcs))]))
                text = " ".join([*(f"s{i}" for i in range(lcs)), *(f"t{i}" for i in range(length - lcs))])
                assert index.nearest(text)[0] == 2 * precision * recall / (
                    precision + recall
                )  # rouge_score's scoring.py


def test_an_empty_pool_and_a_text_without_tokens_have_no_nearest() -> None:
    index = NoveltyIndex(0.7)
    assert index.nearest("anything") == (0.0, None)
    index.add("something else")
    assert index.nearest("anything") == (0.0, None)
    assert index.nearest("") == (0.0, None)
    index.add("")
    assert index.nearest("") == (0.0, None)
    assert index.is_novel("")
    assert len(index) == 2


def test_order_counts_and_repeated_words_count_as_often_as_they_stand() -> None:
    index = NoveltyIndex(0.7)
    index.add("one two three four")
    assert index.nearest("four three two one")[0] == 0.25
    assert index.nearest("one one one one")[0] == 0.25


@pytest.mark.parametrize("threshold", [-0.1, 1.1])
def test_a_threshold_outside_0_to_1_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="must lie in"):
        NoveltyIndex(threshold)


def test_decisions_on_5000_real_instructions_are_those_of_rouge_score_one_by_one(shared: Path) -> None:
    """Every pair that could reach the claimed score, by its shared tokens and both lengths, goes to rouge_score."""
    lines = (shared / "self_instruct_5k.jsonl").read_text().splitlines()
    texts = [json.loads(line)["instruction"] for line in lines]
    assert len(texts) == 5000
    counts = [Counter(rouge_tokenize.tokenize(text, None)) for text in texts]
    column = {token: i for i, token in enumerate(sorted({t for c in counts for t in c}))}
    pool_counts = np.zeros((5000, len(column)), np.uint8)
    pool_lengths = np.zeros(5000, np.int64)
    pool: list[str] = []
    index = NoveltyIndex(0.7)
    num_scored = 0
    for text, count in zip(texts, counts, strict=True):
        columns = [column[token] for token in count]
        shared_tokens = np.minimum(pool_counts[: len(pool), columns], list(count.values())).sum(1, dtype=np.int64)
        bounds = 2 * shared_tokens / np.maximum(1, pool_lengths[: len(pool)] + count.total())
        claimed, nearest = index.nearest(text)
        possible = np.flatnonzero(bounds >= min(0.7, claimed) - 1e-6).tolist() if claimed else []
        scores = {i: reference(text, pool[i]) for i in possible}
        num_scored += len(scores)
        is_novel = all(score <= 0.7 for score in scores.values())
        assert index.is_novel(text) == is_novel, text
        if nearest is None:
            assert not bounds.any(), text
        else:
            assert claimed == max(scores.values()), text
            assert pool[min(i for i, score in scores.items() if score == claimed)] == nearest, text
        if is_novel:
            for token, number_of_token in count.items():
                pool_counts[len(pool), column[token]] = number_of_token
            pool_lengths[len(pool)] = count.total()
            pool.append(text)
            index.add(text)
    assert 4000 < len(pool) < 5000
    assert num_scored > 1000


def test_a_pool_of_20000_answers_within_5_milliseconds_a_text() -> None:
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(4000)])
    drawn = rng.zipf(1.3, (20_200, 16)) % 4000
    index = NoveltyIndex(0.7)
    for row in drawn[:20_000]:
        index.add(" ".join(words[row]))
    start = time.process_time()
    for row in drawn[20_000:]:
        index.nearest(" ".join(words[row]))
    assert (time.process_time() - start) / 200 < 0.005
