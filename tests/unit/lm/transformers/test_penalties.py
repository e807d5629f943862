"""Penalties of generated tokens: the formula by hand, and counts of rows that come and go."""

import torch

from selfinstruct_train.core.records import Sampling
from selfinstruct_train.lm.transformers.penalties import TokenCounts, penalized

BOTH = Sampling(presence_penalty=0.5, frequency_penalty=0.25)


def counted(*rows: list[int]) -> TokenCounts:
    counts = TokenCounts.empty(len(rows), "cpu")
    for tokens in zip(*rows, strict=True):
        counts = counts.with_tokens(torch.tensor(tokens))
    return counts


def test_penalized_logits_by_hand():
    logits = torch.tensor([[1.0, 2.0, 3.0]])
    assert penalized(logits, counted([2, 1, 2, 2, 2]), BOTH).tolist() == [[1.0, 1.25, 1.5]]
    assert logits.tolist() == [[1.0, 2.0, 3.0]]
    assert penalized(logits, counted([]), BOTH).tolist() == [[1.0, 2.0, 3.0]]


def test_rows_that_join_keep_their_counts_whatever_the_others_have_generated():
    joined = TokenCounts.joined([counted([0, 1, 0], [2, 2, 2]), counted([1])]).with_tokens(torch.tensor([0, 0, 0]))
    logits = torch.zeros(3, 3)
    expected = [[-0.5 - 0.75, -0.75, 0.0], [-0.75, 0.0, -0.5 - 0.75], [-0.75, -0.75, 0.0]]
    assert penalized(logits, joined, BOTH).tolist() == expected
    assert penalized(logits[:1], joined.rows(torch.tensor([2])), BOTH).tolist() == expected[2:]
