import json
import random
from pathlib import Path

import pytest

from selfinstruct_eval.metrics import CATEGORY_METRICS, load_tokenizer, normalize_answer, score_each, score_predictions


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


def test_agrees_with_the_rouge_score_package_on_real_texts(shared_data: Path):
    from rouge_score import rouge_scorer

    scorer = rouge_scorer.RougeScorer(["rougeL", "rouge1"], use_stemmer=True)
    lines = (shared_data / "self_instruct_5k.jsonl").read_text(encoding="utf-8").splitlines()
    rng = random.Random(1)
    outputs = [json.loads(line)["output"] for line in rng.sample(lines, 900)]
    predictions, references = outputs[:300], [list(pair) for pair in zip(outputs[300:600], outputs[600:], strict=True)]
    for i in range(0, 300, 2):  # every second one is nearly right
        words = references[i][1].split()
        predictions[i] = " ".join(word for word in words if rng.random() < 0.8)
    for row, prediction, answers in zip(score_each(predictions, references), predictions, references, strict=True):
        theirs = [scorer.score(answer, prediction) for answer in answers]
        assert row[0] == pytest.approx(100 * max(t["rougeL"].fmeasure for t in theirs), abs=1e-9)
        assert row[1] == pytest.approx(100 * max(t["rouge1"].fmeasure for t in theirs), abs=1e-9)


@pytest.fixture(scope="module")
def byte_level(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tokenizer of gpt2's kind (byte-level BPE) that knows two words behind a space, one of them in Greek."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("c", "a"), ("ca", "t"), ("\u0120", "cat")]
    vocabulary = [*letters, *("".join(pair) for pair in merges)]
    bpe = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(vocabulary)}, merges=merges))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    folder = tmp_path_factory.mktemp("byte_level")
    PreTrainedTokenizerFast(tokenizer_object=bpe).save_pretrained(folder)
    return str(folder)


def test_a_tokenizers_tokens_are_compared_without_the_mark_of_a_space(byte_level: str):
    tokenize = load_tokenizer(byte_level)
    assert tokenize("cat cat") == ["cat", "cat"]
    assert tokenize("Cat") == ["C", "a", "t"]  # in its own case
    assert tokenize("a \u03b1") == ["a", "", "\u00ce", "\u00b1"]  # a blank alone stays a token, as in Tk-Instruct


def test_other_scripts_score_by_tokens_and_0_by_words(byte_level: str):
    assert score_each(["\u03b1\u03b2"], [["\u03b1\u03b2"]])[0].tolist() == [0.0, 0.0, 100.0]
    assert score_each(["\u03b1\u03b2"], [["\u03b1\u03b2"]], load_tokenizer(byte_level))[0].tolist() == [100.0] * 3
    # cat a b / cat b: tokens "cat", "a"+"b" with blanks stripped to "": P 3/5, R 3/3 ("cat", "", "b")
    scores = score_each(["cat a b"], [["cat b"]], load_tokenizer(byte_level))[0]
    assert scores[0] == pytest.approx(75.0)


def test_by_tokens_it_agrees_with_rouge_score_given_the_same_tokenizer(byte_level: str):
    from rouge_score import rouge_scorer

    class Theirs:
        tokenize = staticmethod(load_tokenizer(byte_level))

    scorer = rouge_scorer.RougeScorer(["rougeL", "rouge1"], tokenizer=Theirs())
    rng = random.Random(2)
    texts = [
        " ".join(rng.choices(["cat", "\u03b1\u03b2", "Cat", "\u732b", "c"], k=rng.randint(0, 6))) for _ in range(120)
    ]
    for prediction, reference in zip(texts[:60], texts[60:], strict=True):
        theirs = scorer.score(reference, prediction)
        row = score_each([prediction], [[reference]], Theirs.tokenize)[0]
        assert row[0] == pytest.approx(100 * theirs["rougeL"].fmeasure, abs=1e-9)
        assert row[1] == pytest.approx(100 * theirs["rouge1"].fmeasure, abs=1e-9)


def test_a_tokenizer_that_is_not_there_is_one_line(tmp_path: Path):
    with pytest.raises(ValueError, match=r"eval.rouge_tokenizer: .* cannot be loaded as a tokenizer") as error:
        load_tokenizer(str(tmp_path))
    assert "\n" not in str(error.value)


def test_the_twelve_categories_have_tk_instructs_metrics():
    assert len(CATEGORY_METRICS) == 12
    exact = [category for category, metric in CATEGORY_METRICS.items() if metric == "exact_match"]
    assert exact == [
        "Textual Entailment", "Cause Effect Classification", "Coreference Resolution", "Dialogue Act Recognition",
        "Answerability Classification", "Word Analogy",
    ]  # fmt: skip
    assert set(CATEGORY_METRICS.values()) == {"exact_match", "rougeL"}


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
