"""Novelty: the decisions and scores of rouge_score, on made and on real instructions, and those of other scripts."""
# ruff: noqa: RUF001

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import LCSseq
from rouge_score import rouge_scorer
from rouge_score import tokenize as rouge_tokenize

from selfinstruct_train.generate.novelty import Match, NoveltyIndex

SCORER = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
# Few letters, so that random texts share tokens in many orders; signs and scripts that the tokenizer drops.
TEXTS = st.lists(
    st.sampled_from(["a", "b", "c", "the", "THE", "x1", "don't", "é", "猫", "K", "-", "3.5"]), max_size=14
).map(" ".join)
THRESHOLDS = st.integers(0, 20).map(lambda n: n / 20) | st.sampled_from([2 / 3, 4 / 7, 0.7, 6 / 7])


def reference(text: str, other: str) -> float:
    return float(SCORER.score(text, other)["rougeL"].fmeasure)


def pool_of(texts: list[str], threshold: float = 0.7, tokenization: str = "rouge_score") -> NoveltyIndex:
    index = NoveltyIndex(threshold, tokenization)  # type: ignore[arg-type]
    for text in texts:
        index.add(text)
    return index


@settings(max_examples=500, deadline=None)
@given(st.lists(TEXTS, max_size=12), TEXTS, THRESHOLDS)
def test_the_match_is_the_first_text_with_rouge_scores_largest_score_if_that_is_above_the_threshold(
    pool: list[str], text: str, threshold: float
) -> None:
    scores = [reference(text, other) for other in pool]
    best = max(scores, default=0.0)
    index = pool_of(pool, threshold)
    assert index.check(text) == (Match(pool[scores.index(best)], best) if best > threshold else None)
    assert index.is_novel(text) == (best <= threshold)


@settings(max_examples=500, deadline=None)
@given(st.lists(TEXTS, max_size=12), TEXTS, THRESHOLDS)
def test_the_nearest_text_is_the_first_with_rouge_scores_largest_score_whatever_the_threshold(
    pool: list[str], text: str, threshold: float
) -> None:
    scores = [reference(text, other) for other in pool]
    best = max(scores, default=0.0)
    assert pool_of(pool, threshold).nearest(text) == (best, pool[scores.index(best)] if best else None)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.3, 0.5, 0.7, 0.9]))
def test_near_copies_in_a_pool_of_hundreds_are_found_as_rouge_score_finds_them(seed: int, threshold: float) -> None:
    """Lengths from 1 to 100 tokens, a vocabulary of 150, texts made from one another by a few changes."""
    rng = random.Random(seed)
    pool = [" ".join(f"w{int(150 * rng.random() ** 3)}" for _ in range(rng.randint(1, 100))) for _ in range(40)]
    while len(pool) < 200:
        words = rng.choice(pool).split()
        for _ in range(rng.randint(0, len(words))):
            at = rng.randrange(len(words))
            words[at : at + rng.randint(0, 2)] = [f"w{rng.randrange(150)}"] * rng.randint(0, 2)
            words = words or ["w0"]
        pool.append(" ".join(words))
    queries, pool = pool[::10], pool[:150]
    index = pool_of(pool, threshold)
    for text in queries:
        scores = [lcs_score(text, other) for other in pool]
        best = max(scores)
        assert index.check(text) == (Match(pool[scores.index(best)], best) if best > threshold else None)
        assert index.nearest(text) == (best, pool[scores.index(best)] if best else None)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_the_nearest_of_thousands_of_unlike_texts_is_found(seed: int) -> None:
    """More texts share words with the query than are compared at once, and none is above the threshold."""
    rng = random.Random(seed)
    pool = [" ".join(f"w{rng.randrange(60)}" for _ in range(rng.randint(1, 40))) for _ in range(2000)]
    index = pool_of(pool, 1.0)
    for _ in range(5):
        text = " ".join(f"w{rng.randrange(80)}" for _ in range(rng.randint(1, 40)))
        scores = [lcs_score(text, other) for other in pool]
        assert index.nearest(text) == (max(scores), pool[scores.index(max(scores))] if max(scores) else None)


def test_an_empty_pool_and_a_text_with_no_word_of_the_pool_have_no_nearest_text() -> None:
    assert NoveltyIndex().nearest("a b") == (0.0, None)
    index = pool_of(["a b", ""])
    assert index.nearest("c d") == index.nearest("") == (0.0, None)
    assert index.nearest("a x y z") == (0.3333333333333333, "a b")  # 2 x 1 / 6


def lcs_score(text: str, other: str) -> float:
    """ROUGE-L F1 of words between spaces, in rouge_score's order of operations; its own is too slow for this many."""
    words, other_words = text.split(), other.split()
    lcs = LCSseq.similarity(words, other_words)
    precision, recall = lcs / len(other_words), lcs / len(words)
    return 2 * precision * recall / (precision + recall) if lcs else 0.0


def test_a_score_at_the_threshold_passes_as_in_rouge_score() -> None:
    ten, seven_shared = "a b c d e f g h i j", "a b c d e f g 1 2 3"
    index = pool_of([ten])
    assert index.is_novel(seven_shared) == (reference(seven_shared, ten) <= 0.7)
    assert not index.is_novel("a b c d e f g h 2 3")


def test_every_pair_of_lengths_and_overlaps_up_to_30_falls_as_rouge_scores_float_does() -> None:
    """The threshold is the pair's own score: it passes; with the next smaller float as threshold it does not."""
    for length in range(1, 31):
        text = [f"t{i}" for i in range(length)]
        for other_length in range(1, 31):
            for lcs in range(1, min(length, other_length) + 1):
                precision, recall = lcs / other_length, lcs / length
                score = 2 * precision * recall / (precision + recall)  # rouge_score's scoring.py
                other = " ".join([*text[:lcs], *(f"o{i}" for i in range(other_length - lcs))])
                if score <= 1:
                    assert pool_of([other], score).check(" ".join(text)) is None
                below = float(np.nextafter(min(score, 1.0), 0))
                assert pool_of([other], below).check(" ".join(text)) == Match(other, score)


def test_an_empty_pool_and_a_text_without_tokens_have_no_match() -> None:
    index = NoveltyIndex(0.7)
    assert index.check("anything") is None
    index.add("something else")
    index.add("")
    assert index.check("anything") is None
    assert index.check("") is None
    assert index.check("something else") == Match("something else", 1.0)
    assert len(index) == 2


def test_order_counts_and_repeated_words_count_as_often_as_they_stand() -> None:
    index = pool_of(["one two three four"], 0.2)
    assert index.check("four three two one") == Match("one two three four", 0.25)
    assert index.check("one one one one") == Match("one two three four", 0.25)


def test_texts_of_thousands_of_words_are_compared_too() -> None:
    words = [f"w{i % 700}" for i in range(3000)]
    text, cut = " ".join(words), " ".join(words[:2000])
    index = pool_of(["a b c", cut])
    assert index.check(text) == Match(cut, 0.8)  # 2 x 2000 / 5000
    assert index.is_novel(" ".join(words[:1000]))  # 2 x 1000 / 3000
    assert index.check("a b c d") == Match("a b c", 0.8571428571428571)


def test_of_equal_matches_the_earliest_is_told() -> None:
    pool = ["a b c d x", "a b c d y", "A B C D x"]
    assert pool_of(pool).check("a b c d x") == Match("a b c d x", 1.0)
    assert pool_of(pool).check("a b c d z") == Match("a b c d x", 0.8000000000000002)
    assert pool_of(pool[::-1]).check("a b c d x") == Match("A B C D x", 1.0)


def test_more_kinds_of_words_than_there_are_characters_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from selfinstruct_train.generate import token_index

    monkeypatch.setattr(token_index, "as_characters", tuple)
    pool = ["a b c d e", "a b c x y z", "k l m n"]
    assert pool_of(pool).check("a b c d f") == Match("a b c d e", 0.8000000000000002)
    assert pool_of(pool).check("k l m q r s") is None
    assert pool_of(pool).nearest("k l m q r s") == (0.6, "k l m n")


SAME = [
    "请写一首关于春天的诗",
    "Напиши короткое стихотворение о весне",
    "اكتب قصيدة قصيرة عن الربيع",
    "वसंत के बारे में एक छोटी कविता लिखें",
    "春についての短い詩を書いてください",
    "봄에 대한 짧은 시를 쓰세요",
    "เขียนบทกวีสั้นๆ เกี่ยวกับฤดูใบไม้ผลิ",
]


@pytest.mark.parametrize("tokenization", ["guarded", "unicode"])
@pytest.mark.parametrize("text", SAME)
def test_identical_instructions_of_every_script_are_duplicates_and_different_ones_are_not(
    tokenization: str, text: str
) -> None:
    index = pool_of([other for other in SAME if other != text], 0.7, tokenization)
    assert index.is_novel(text)
    index.add(text)
    assert index.check(text) == Match(text, 1.0)
    assert pool_of(SAME, 0.7, "rouge_score").is_novel(text)  # the released code's fault


@pytest.mark.parametrize("tokenization", ["guarded", "unicode"])
@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Translate: 你好", "Translate: 再见"),
        ("Translate into English: как дела", "Translate into English: где ты живёшь"),
        ("What does this mean: 😀", "What does this mean: 谢谢你们大家"),
        ("写一首关于春天的诗", "解释什么是机器学习"),
    ],
)
def test_texts_that_differ_only_in_another_script_are_different(tokenization: str, text: str, other: str) -> None:
    index = pool_of([other], 0.7, tokenization)
    assert index.is_novel(text)
    index.add(text)
    assert index.check(text) == Match(text, 1.0)


@pytest.mark.parametrize("tokenization", ["guarded", "unicode"])
@given(text=st.text(min_size=1, max_size=30))
def test_any_text_that_is_not_blank_is_similar_to_itself(tokenization: str, text: str) -> None:
    from selfinstruct_train.generate.tokenize import splitter

    if splitter(tokenization)(text):  # type: ignore[arg-type]
        assert pool_of([text], 0.7, tokenization).check(text) == Match(text, 1.0)


@pytest.mark.parametrize("threshold", [-0.1, 1.1])
def test_a_threshold_outside_0_to_1_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="must lie in"):
        NoveltyIndex(threshold)


@pytest.mark.parametrize("tokenization", ["rouge_score", "guarded"])
def test_decisions_on_5000_real_instructions_are_those_of_rouge_score_one_by_one(
    shared_data: Path, tokenization: str
) -> None:
    """Every pair that could be above the threshold, by its shared tokens and both lengths, goes to rouge_score."""
    lines = (shared_data / "self_instruct_5k.jsonl").read_text().splitlines()
    texts = [json.loads(line)["instruction"] for line in lines]
    assert len(texts) == 5000
    counts = [Counter(rouge_tokenize.tokenize(text, None)) for text in texts]
    column = {token: i for i, token in enumerate(sorted({t for c in counts for t in c}))}
    pool_counts = np.zeros((5000, len(column)), np.uint8)
    pool_lengths = np.zeros(5000, np.int64)
    pool: list[str] = []
    index = pool_of([], 0.7, tokenization)
    num_scored = 0
    for text, count in zip(texts, counts, strict=True):
        columns = [column[token] for token in count]
        shared_tokens = np.minimum(pool_counts[: len(pool), columns], list(count.values())).sum(1, dtype=np.int64)
        bounds = 2 * shared_tokens / np.maximum(1, pool_lengths[: len(pool)] + count.total())
        scores = {i: reference(text, pool[i]) for i in np.flatnonzero(bounds >= 0.7 - 1e-6).tolist()}
        num_scored += len(scores)
        best = max(scores.values(), default=0.0)
        match = index.check(text)
        if best <= 0.7:
            assert match is None, text
            for token, number_of_token in count.items():
                pool_counts[len(pool), column[token]] = number_of_token
            pool_lengths[len(pool)] = count.total()
            pool.append(text)
            index.add(text)
        else:
            assert match == Match(pool[min(i for i, score in scores.items() if score == best)], best), text
    assert 4000 < len(pool) < 5000
    assert num_scored > 200
