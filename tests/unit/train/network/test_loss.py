"""The weighted loss: literal values, padded and packed, and the logits that it takes."""

import math

import pytest

from selfinstruct_train.train.data.encode import EncodedRow
from selfinstruct_train.train.data.packing import collate_packs, collate_rows, pack_of
from selfinstruct_train.train.network.loss import token_weights, weighted_loss
from tests.support.networks import make_network

# two prompt tokens and two to learn; one and one
ROWS = [EncodedRow((1, 2, 3, 0), (-100, -100, 3, 0)), EncodedRow((2, 0), (-100, 0))]


def bigram():
    """A causal LM whose logits for the next token depend on this one alone: log of 1/2, 1/4, 1/8, 1/8, turned."""
    import torch
    from transformers.modeling_outputs import CausalLMOutput

    table = torch.tensor([[1 / 2, 1 / 4, 1 / 8, 1 / 8]] * 4)
    table = torch.stack([table[i].roll(i) for i in range(4)]).log()

    class Bigram(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.head = torch.nn.Linear(4, 4, bias=False)
            self.head.weight = torch.nn.Parameter(table.T.contiguous())
            self.rows_asked = None

        def forward(self, input_ids, **others):
            logits = self.head(torch.nn.functional.one_hot(input_ids, 4).float())
            self.rows_asked = logits.shape[1]
            return CausalLMOutput(logits=logits)

    return Bigram()


# P(next | this): after 1: (1/8, 1/2, 1/4, 1/8); after 2: (1/8, 1/8, 1/2, 1/4); after 3: (1/4, 1/8, 1/8, 1/2)
# row 1: 1 -> 2 is 1/4 (prompt), 2 -> 3 is 1/4, 3 -> 0 is 1/4; row 2: 2 -> 0 is 1/8
TWO, THREE = 2 * math.log(2), 3 * math.log(2)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("weight", "expected", "positions"),
    [
        (0.0, (TWO + TWO + THREE) / 3, 3),
        (0.5, (0.5 * TWO + TWO + TWO + THREE) / 3.5, 4),
        (1.0, (TWO + TWO + TWO + THREE) / 4, 4),
    ],
)
def test_the_loss_is_the_weighted_mean_worked_out_by_hand(packed, weight, expected, positions):
    model = bigram()
    batch = collate_packs([pack_of(ROWS)], 0) if packed else collate_rows([pack_of([row]) for row in ROWS], 0)
    assert float(weighted_loss(model, model.head, batch, weight)) == pytest.approx(expected, abs=1e-6)
    assert model.rows_asked == positions  # logits are computed where a token counts, not elsewhere
    assert float(weighted_loss(model, model.head, batch, weight, total=7.0)) == pytest.approx(
        expected * {0.0: 3, 0.5: 3.5, 1.0: 4}[weight] / 7, abs=1e-6
    )


def test_first_tokens_and_padding_weigh_nothing():
    padded = collate_rows([pack_of([row]) for row in ROWS], 0)
    assert token_weights(padded, 0.25).tolist() == [[0.25, 1, 1], [1, 0, 0]]
    packs = collate_packs([pack_of(ROWS), pack_of(ROWS[1:])], 0)
    # in the pack the place between the documents, then the padding of the second pack
    assert token_weights(packs, 0.25).tolist() == [[0.25, 1, 1, 0, 1], [1, 0, 0, 0, 0]]


def test_without_prompt_weight_it_is_the_models_own_loss():
    import torch

    network = make_network("gemma3")
    rows = [pack_of([EncodedRow((5, 6, 7, 8), (-100, -100, 7, 8))]), pack_of([EncodedRow((9, 10), (-100, 10))])]
    batch = collate_rows(rows, 0)
    ours = weighted_loss(network, network.get_output_embeddings(), batch, 0.0)
    assert float(ours) == pytest.approx(float(network(**batch).loss), abs=1e-6)
    whole = torch.where(batch["attention_mask"] == 1, batch["input_ids"], -100)
    plain = network(**(batch | {"labels": whole})).loss
    assert float(weighted_loss(network, network.get_output_embeddings(), batch, 1.0)) == pytest.approx(
        float(plain), abs=1e-6
    )


def test_a_batch_without_anything_to_learn_has_a_loss_of_zero_and_a_gradient():
    network = make_network("llama")
    batch = collate_rows([pack_of([EncodedRow((5, 6), (-100, -100))])], 0)
    loss = weighted_loss(network, network.get_output_embeddings(), batch, 0.0, total=4)
    loss.backward()
    assert float(loss) == 0.0
