"""Packs: whole rows, best fit decreasing, and documents that neither attend to nor learn from one another."""

import random

import pytest

from selfinstruct_train.config import TrainConfig
from selfinstruct_train.train.data.encode import EncodedRow
from selfinstruct_train.train.data.packing import (
    collate_packs,
    collate_rows,
    make_collator,
    make_dataset,
    num_examples,
    pack_of,
    pack_rows,
)
from selfinstruct_train.train.network.attention import attend_by_borders, check_documents_apart, use_documents_attention
from selfinstruct_train.train.network.loss import weighted_loss
from tests.support.networks import make_network


def row(length: int, prompt: int = 2, seed: int = 0) -> EncodedRow:
    rng = random.Random(f"{length} {seed}")
    ids = [rng.randrange(3, 97) for _ in range(length)]
    return EncodedRow(tuple(ids), (*[-100] * prompt, *ids[prompt:]))


DOCUMENTS = [row(13, 4), row(5, 2), row(9, 3), row(17, 6), row(4, 1)]


def test_a_row_goes_where_it_leaves_the_least_room():
    # 7 and 6 leave 3 and 4 free; 4 fills the second pack, 3 the first
    assert pack_rows([4, 7, 3, 6], 10) == [[1, 2], [3, 0]]
    # 6 and 5 leave 4 and 5; the other 5 fills the second pack, 3 goes to the first, 2 opens a third
    assert pack_rows([6, 5, 5, 3, 2], 10) == [[0, 3], [1, 2], [4]]
    # 8 and 7 leave 2 and 3; 2 goes where it leaves nothing although the other has more room
    assert pack_rows([8, 7, 2], 10) == [[0, 2], [1]]


def test_no_row_is_lost_cut_or_doubled_and_packs_are_nearly_full():
    rng = random.Random(1)
    lengths = [min(512, int(rng.lognormvariate(4.2, 0.8)) + 4) for _ in range(3000)]
    packs = pack_rows(lengths, 512)
    assert sorted(place for pack in packs for place in pack) == list(range(3000))
    sizes = [sum(lengths[i] for i in pack) for pack in packs]
    assert max(sizes) <= 512
    assert sum(sizes) / (512 * len(packs)) > 0.99
    assert pack_rows(lengths, 512) == packs


def test_a_row_longer_than_a_pack_is_refused():
    with pytest.raises(ValueError, match="a row has 11 tokens, more than a pack of train.max_length 10; raise it"):
        pack_rows([3, 11], 10)


def test_a_dataset_of_packs_holds_the_rows_one_behind_the_other():
    rows = [EncodedRow((5, 6, 2), (-100, 6, 2)), EncodedRow((7, 2), (-100, 2)), EncodedRow((8, 9, 2), (-100, 9, 2))]
    train = TrainConfig(packing=True, max_length=6)
    assert make_dataset(rows, train).to_list() == [
        {"input_ids": [5, 6, 2, 8, 9, 2], "labels": [-100, 6, 2, -100, 9, 2], "seq_lengths": [3, 3]},
        {"input_ids": [7, 2], "labels": [-100, 2], "seq_lengths": [2]},
    ]
    assert num_examples(rows, train) == 2
    assert num_examples(rows, TrainConfig(max_length=6)) == 3


def test_a_batch_of_packs_has_positions_that_begin_anew_and_no_label_at_a_border():
    # the second document's first token has a label here, as it has no prompt
    packs = [
        {"input_ids": [5, 6, 7, 8, 9], "labels": [-100, 6, 7, 8, 9], "seq_lengths": [2, 3]},
        {"input_ids": [4, 3], "labels": [-100, 3], "seq_lengths": [2]},
    ]
    batch = collate_packs(packs, pad_id=1)
    assert batch["input_ids"].tolist() == [[5, 6, 7, 8, 9], [4, 3, 1, 1, 1]]
    assert batch["labels"].tolist() == [[-100, 6, -100, 8, 9], [-100, 3, -100, -100, -100]]
    assert batch["position_ids"].tolist() == [[0, 1, 0, 1, 2], [0, 1, 0, 0, 0]]
    assert batch["cu_seq_lens_q"].tolist() == batch["cu_seq_lens_k"].tolist() == [0, 2, 5, 7, 10]
    assert batch["max_length_q"] == batch["max_length_k"] == 3
    assert "attention_mask" not in batch


def test_rows_are_padded_on_the_right_and_a_tokenizer_without_a_pad_token_keeps_none(tokenizer):
    assert tokenizer.pad_token_id is None
    collate = make_collator(tokenizer, TrainConfig())
    batch = collate([{"input_ids": [5, 6], "labels": [-100, 6]}, {"input_ids": [7, 8, 9], "labels": [-100, 8, 9]}])
    assert batch["input_ids"].tolist() == [[5, 6, tokenizer.eos_token_id], [7, 8, 9]]
    assert batch["labels"].tolist() == [[-100, 6, -100], [-100, 8, 9]]
    assert batch["attention_mask"].tolist() == [[1, 1, 0], [1, 1, 1]]
    assert tokenizer.pad_token_id is None


@pytest.mark.parametrize("attention", ["sdpa", "eager", "documents"])
@pytest.mark.parametrize("name", ["llama", "qwen3", "mistral", "olmo2", "gemma3"])
def test_a_document_in_a_pack_has_the_loss_and_gradient_it_has_alone(name, attention):
    """Two packs in a batch, documents longer than the sliding windows, the second pack with padding."""
    import torch

    network = make_network(name, "eager" if attention == "eager" else "sdpa")
    if attention == "documents":
        use_documents_attention(network)
    assert network.config._attn_implementation == attention
    network.train()
    head = network.get_output_embeddings()
    packed = collate_packs([pack_of(DOCUMENTS[:3]), pack_of(DOCUMENTS[3:])], pad_id=0)
    losses, gradients = [], []
    for batches in ([packed], [collate_rows([pack_of([one])], 0) for one in DOCUMENTS]):
        network.zero_grad()
        # 9 + 3 + 6 + 11 + 3 completion tokens
        parts = [weighted_loss(network, head, batch, 0.0, total=32) for batch in batches]
        torch.stack(parts).sum().backward()
        losses.append(sum(float(part.detach()) for part in parts))
        gradients.append(torch.cat([p.grad.flatten() for p in network.parameters()]))
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    assert losses[0] > 2
    scale = gradients[1].abs().max()
    assert (gradients[0] - gradients[1]).abs().max() < 1e-4 * scale
    check_documents_apart(network, DOCUMENTS)


def test_each_document_of_a_pack_has_its_own_loss():
    import torch

    network = make_network("llama")
    use_documents_attention(network)
    head = network.get_output_embeddings()
    batch = collate_packs([pack_of(DOCUMENTS)], pad_id=0)
    borders = batch["cu_seq_lens_q"].tolist()
    for document, start, end in zip(DOCUMENTS, borders, borders[1:], strict=False):
        labels = torch.full_like(batch["labels"], -100)
        labels[:, start:end] = batch["labels"][:, start:end]
        alone = weighted_loss(network, head, collate_rows([pack_of([document])], 0), 0.0)
        in_pack = weighted_loss(network, head, batch | {"labels": labels}, 0.0)
        assert in_pack.item() == pytest.approx(alone.item(), abs=1e-4)


def test_generation_and_padded_batches_are_those_of_sdpa():
    import torch

    network = make_network("llama")
    ids = torch.tensor([[0, 0, 5, 6, 7], [3, 4, 5, 6, 7]])
    inputs = {"input_ids": ids, "attention_mask": (ids > 0).long()}
    options = {"max_new_tokens": 6, "do_sample": False, "pad_token_id": 0, "eos_token_id": None}
    expected, logits = network.generate(**inputs, **options), network(**inputs).logits
    use_documents_attention(network)
    assert network.generate(**inputs, **options).tolist() == expected.tolist()
    assert torch.equal(network(**inputs).logits[:, 2:], logits[:, 2:])


@pytest.mark.parametrize("name", ["gpt2", "mamba"])
def test_a_model_whose_documents_see_one_another_is_refused_and_others_are_not(name):
    network = make_network(name)
    if name == "gpt2":
        check_documents_apart(network, DOCUMENTS)  # learned positions, but it takes position_ids
        return
    with pytest.raises(ValueError, match=r"train\.packing: .* set train\.packing: false"):
        check_documents_apart(network, DOCUMENTS)


def test_attention_over_the_whole_pack_is_refused():
    """A model that gets its packs with a cache sees the documents before (the default of transformers)."""
    network = make_network("llama")
    forward = network.forward
    network.forward = lambda use_cache, **batch: forward(**batch, use_cache=True)
    with pytest.raises(ValueError, match="documents in one pack change one another's logits"):
        check_documents_apart(network, DOCUMENTS)


@pytest.mark.parametrize("window", [None, 4])
def test_the_kernel_for_gpus_is_asked_for_the_same_attention(window):
    """The kernel itself needs a GPU: here a plain one with its signature stands in for it."""
    import torch

    def plain(query, key, value, borders, key_borders, longest, longest_key, *, scale, window_size):
        assert borders.tolist() == key_borders.tolist()
        assert longest == longest_key == max((borders[1:] - borders[:-1]).tolist())
        places = torch.arange(len(query))
        document = torch.bucketize(places, borders, right=True)
        apart = places[:, None] - places[None, :]
        seen = (document[:, None] == document[None, :]) & (apart >= -window_size[1])
        if window_size[0] >= 0:
            seen &= apart <= window_size[0]
        scores = torch.einsum("qhd,khd->hqk", query, key) * scale
        return torch.einsum("hqk,khd->qhd", scores.masked_fill(~seen, -torch.inf).softmax(-1), value)

    from selfinstruct_train.train.network import attention

    network = make_network("mistral" if window else "llama")
    if window:
        network.config.sliding_window = window
    batch = collate_packs([pack_of(DOCUMENTS[:3]), pack_of(DOCUMENTS[3:])], pad_id=0)
    del batch["labels"]
    real = batch["position_ids"].diff(dim=1, append=torch.ones(2, 1, dtype=torch.int64)) != 0
    expected = network(**batch, use_cache=False).logits

    def by_borders(module, query, key, value, attention_mask, cu_seq_lens_q=None, **options):
        return attend_by_borders(plain, query, key, value, cu_seq_lens_q, **options), None

    original = attention.documents_attention
    attention.documents_attention = by_borders
    try:
        use_documents_attention(network)
        got = network(**batch, use_cache=False).logits
    finally:
        attention.documents_attention = original
        use_documents_attention(make_network("llama"))
    assert torch.allclose(got[real], expected[real], atol=1e-4)
