"""ROUGE-L, ROUGE-1 and exact match, as Tk-Instruct's src/compute_metrics.py defines them, in percent.

ROUGE is the F-measure of the `rouge_score` package with its Porter stemmer; exact match compares texts in lower case
without ASCII punctuation and surplus white space (articles stay, unlike SQuAD's). Each metric takes its own maximum
over the references. core/rouge.py scores the 11,900 predictions of the official split in a second. Text outside a-z0-9
has ROUGE 0, as there; for other languages Tk-Instruct compares a tokenizer's tokens, in their own case and unstemmed:
`load_tokenizer`.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from selfinstruct_train.core.names import EXACT_MATCH, METRICS, ROUGE_L
from selfinstruct_train.core.rouge import rouge_1, rouge_l, stemmed_words
from selfinstruct_train.lm.transformers.pretrained import load_pretrained_tokenizer

if TYPE_CHECKING:
    import numpy as np

# Tk-Instruct's compute_metrics.py: by what each category of the English test split is judged
CATEGORY_METRICS = {
    "Textual Entailment": EXACT_MATCH,
    "Cause Effect Classification": EXACT_MATCH,
    "Coreference Resolution": EXACT_MATCH,
    "Dialogue Act Recognition": EXACT_MATCH,
    "Answerability Classification": EXACT_MATCH,
    "Word Analogy": EXACT_MATCH,
    "Overlap Extraction": ROUGE_L,
    "Keyword Tagging": ROUGE_L,
    "Question Rewriting": ROUGE_L,
    "Title Generation": ROUGE_L,
    "Data to Text": ROUGE_L,
    "Grammar Error Correction": ROUGE_L,
}
Tokenize = Callable[[str], list[str]]
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def score_predictions(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return the mean rougeL, rouge1 and exact_match in percent, rounded to 4 decimals.

    Args:
        predictions: one text each.
        references: for each prediction a list of texts, of which the best match counts.

    Raises:
        ValueError: nothing to score, different lengths, or a prediction without a reference.
    """
    means = score_each(predictions, references).mean(axis=0)
    return {metric: round(float(mean), 4) for metric, mean in zip(METRICS, means, strict=True)}


def score_each(
    predictions: Sequence[str], references: Sequence[Sequence[str]], tokenize: Tokenize | None = None
) -> np.ndarray:
    """Return each prediction's scores in percent, shape (predictions, METRICS), float64; raises as the above.

    Args:
        tokenize: cuts a text into what ROUGE compares; None: rouge_score's own way.
    """
    import numpy as np

    if not predictions:
        raise ValueError("there are no predictions to score")
    if len(predictions) != len(references):
        raise ValueError(f"{len(predictions)} predictions, but references for {len(references)}; one list for each")
    tokenize = tokenize or stemmed_words
    rows = []
    for index, (prediction, answers) in enumerate(zip(predictions, references, strict=True)):
        if isinstance(answers, str):
            raise ValueError(f"references[{index}] is one text, where a list of texts must be")
        if not answers:
            raise ValueError(f"references[{index}] is empty; each prediction needs at least one reference")
        rows.append(_score_one(prediction, answers, tokenize))
    return 100 * np.array(rows, dtype=np.float64)


def load_tokenizer(name: str) -> Tokenize:
    """Return Tk-Instruct's way for other languages: a tokenizer's tokens without the mark of a space before a word.

    Args:
        name: Hub id or folder; gpt2 there.

    Raises:
        ValueError: there is none such.
    """
    try:
        tokenizer = load_pretrained_tokenizer(name)
    except (OSError, ValueError) as error:
        reason = str(error).split("\n")[0]
        raise ValueError(f"eval.rouge_tokenizer: {name!r} cannot be loaded as a tokenizer ({reason})") from None
    # byte-level BPE marks a space before a word by G with a dot, sentencepiece by a low line
    return lambda text: [token.lstrip("\u0120\u2581") for token in tokenizer.tokenize(text)]


def normalize_answer(text: str) -> str:
    """Lower a text, drop ASCII punctuation and surplus white space: what exact match compares."""
    return " ".join(text.lower().translate(_NO_PUNCTUATION).split())


def _score_one(prediction: str, references: Sequence[str], tokenize: Tokenize) -> tuple[float, float, float]:
    """Return (rougeL, rouge1, exact_match) in [0, 1]."""
    tokens, normalized = tokenize(prediction), normalize_answer(prediction)
    best_l = best_1 = exact = 0.0
    for reference in references:
        answer = tokenize(reference)
        in_common = rouge_1(tokens, answer)
        if in_common:
            best_1 = max(best_1, in_common)
            best_l = max(best_l, rouge_l(tokens, answer))
        exact = max(exact, float(normalized == normalize_answer(reference)))
    return best_l, best_1, exact
