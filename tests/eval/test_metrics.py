import json
import random
from pathlib import Path

import pytest
from selfinstruct_eval.metrics import normalize_answer, score_each, score_predictions


def test_rouge_is_the_f_measure_of_stemmed_tokens():
    # the quick brown fox / the brown dogs: common subsequence "the brown": P 2/4, R 2/3, F 4/7 = 57.1429
    assert score_predictions(["the quick brown fox"], [["the brown dogs"]]) == {
        "rougeL": 57.1429,
        "rouge1": 57.1429,
        "exact_match": 0.0,
    }
    # Porter: running -> run (stemmed, longer than 3), run stays
    assert score_predictions(["running"], [["run"]])["rougeL"] == 100.0


def test_rouge_l_keeps_the_order_and_rouge_1_does_not():
    # b a / a b: longest common subsequence 1 of 2, both words in common
    scores = score_predictions(["b a"], [["a b"]])
    assert (scores["rougeL"], scores["rouge1"]) == (50.0, 100.0)


def test_a_repeated_word_counts_as_often_as_both_texts_have_it():
    # a a a / a a b: 2 in common, P 2/3, R 2/3
    assert score_predictions(["a a a"], [["a a b"]])["rouge1"] == 66.6667


def test_each_metric_takes_its_own_maximum_over_the_references():
    # rougeL is best against the second, rouge1 against the first
    scores = score_predictions(["a b c d"], [["d c b a", "a b x x"]])
    assert (scores["rougeL"], scores["rouge1"]) == (50.0, 100.0)


def test_exact_match_ignores_case_punctuation_and_white_space_but_not_articles():
    assert normalize_answer("  The  Cow, \n it's red! ") == "the cow its red"
    assert score_predictions(["The cow."], [["the COW"]])["exact_match"] == 100.0
    assert score_predictions(["The cow."], [["cow"]])["exact_match"] == 0.0


def test_empty_texts_score_zero_in_rouge_and_match_each_other():
    assert score_predictions(["", "..."], [["cow"], ["?"]]) == {"rougeL": 0.0, "rouge1": 0.0, "exact_match": 50.0}


def test_means_are_over_all_predictions():
    assert score_predictions(["cow", "x", "x", "x"], [["cow"], ["a"], ["b"], ["c"]])["rougeL"] == 25.0


@pytest.mark.parametrize(
    ("predictions", "references", "message"),
    [
        ([], [], "no predictions"),
        (["a"], [["a"], ["b"]], "1 predictions, but references for 2"),
        (["a", "b"], [["a"], []], r"references\[1\] is empty"),
        (["a"], ["a"], r"references\[0\] is one text"),
    ],
)
def test_what_cannot_be_scored_is_refused(predictions, references, message):
    with pytest.raises(ValueError, match=message):
        score_predictions(predictions, references)


def test_agrees_with_the_rouge_score_package_on_random_texts():
    from rouge_score import rouge_scorer

    scorer = rouge_scorer.RougeScorer(["rougeL", "rouge1"], use_stemmer=True)
    rng = random.Random(0)
    words = [
        "running",
        "ran",
        "the",
        "dogs",
        "dog",
        "agreed",
        "Agree",
        "a",
        "x1",
        "naïve",
        "…",
        "it's",
        "flies",
        "中文",
        "-",
    ]
    texts = [" ".join(rng.choices(words, k=rng.randint(0, 12))) for _ in range(400)]
    pairs = list(zip(texts[:200], texts[200:], strict=True))
    ours = score_each([p for p, _ in pairs], [[r] for _, r in pairs])
    for row, (prediction, reference) in zip(ours, pairs, strict=True):
        theirs = scorer.score(reference, prediction)
        assert row[0] == 100 * theirs["rougeL"].fmeasure
        assert row[1] == 100 * theirs["rouge1"].fmeasure


@pytest.mark.parametrize(
    ("system", "rouge_l", "exact_match"),
    # computed with Tk-Instruct's compute_metrics on the published predictions
    [("davinci", 2.8252, 0.0), ("davinci-self-instruct", 28.1317, 9.127), ("text-davinci-001", 29.0001, 8.3333)],
)
def test_published_predictions_on_the_252_get_the_known_scores(shared_data: Path, system, rouge_l, exact_match):
    path = shared_data / "official" / "human_eval" / "predictions" / f"{system}_predictions.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    scores = score_predictions([r["response"] for r in rows], [[r["target"]] for r in rows])
    assert len(rows) == 252
    assert (scores["rougeL"], scores["exact_match"]) == (rouge_l, exact_match)
