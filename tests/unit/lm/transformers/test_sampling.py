"""Choosing tokens from given logits: penalties, nucleus and doubtful choices by hand."""

import torch

from selfinstruct_train.core.records import Sampling
from selfinstruct_train.lm.transformers import sampling as sampling_module
from selfinstruct_train.lm.transformers.noise import gumbel, row_keys
from selfinstruct_train.lm.transformers.sampling import _nucleus, choose_tokens

MARGIN = 2.0**-12


def choose(logits, sampling, margin=MARGIN, seed=0):
    tokens, doubtful = choose_tokens(torch.tensor([logits]), None, row_keys([seed], "cpu"), 0, sampling, margin)
    return tokens.item(), doubtful.item()


def test_greedy_is_doubtful_only_within_the_margin():
    assert choose([0.0, 1.0, 0.5], Sampling()) == (1, False)
    assert choose([0.0, 1.0, 1.0 - 2.0**-13], Sampling()) == (1, True)
    assert choose([0.0, 1.0, 1.0 - 2.0**-11], Sampling()) == (1, False)
    assert choose([0.0, 1.0, 1.0], Sampling(), margin=0.0)[1] is False


def test_nucleus_is_the_smallest_set_that_reaches_top_p():
    logits = torch.tensor([[0.1, 0.5, 0.15, 0.25]]).log()
    for top_p, expected in ((0.4, {1}), (0.6, {1, 3}), (0.76, {1, 3, 2}), (0.95, {0, 1, 2, 3})):
        _, tokens, maybe, sure = _nucleus(logits, 1.0, top_p, 0.0)
        assert set(tokens[maybe].tolist()) == expected
        assert maybe.equal(sure)


def test_a_nucleus_wider_than_the_first_candidates_is_found_whole():
    _, tokens, maybe, _ = _nucleus(torch.zeros(1, 1000), 1.0, 0.5, 0.0)
    assert maybe.sum() == 500
    assert len(set(tokens[maybe].tolist())) == 500


def test_a_token_at_the_edge_of_the_nucleus_makes_its_choice_doubtful():
    # 0.5 + 0.25 reaches top_p 0.75 by a hair or not: the third token is in the nucleus or out of it
    logits = [*torch.tensor([0.5, 0.25, 0.25]).log().tolist()]
    results = {choose(logits, Sampling(temperature=1.0, top_p=0.75), seed=seed) for seed in range(60)}
    assert (0, False) in results
    assert {doubtful for token, doubtful in results if token > 0} == {True}


def test_a_choice_that_a_small_change_of_logits_turns_is_always_called_doubtful():
    generator = torch.Generator().manual_seed(1)
    turned = 0
    for sampling in (Sampling(), Sampling(temperature=0.7, top_p=0.5), Sampling(temperature=1.0)):
        logits = torch.randn(4000, 12, generator=generator)
        keys = row_keys(list(range(4000)), "cpu")
        margin = 0.02
        tokens, doubtful = choose_tokens(logits, None, keys, 0, sampling, margin)
        changed = logits + (torch.rand(4000, 12, generator=generator) - 0.5) * 0.4 * margin
        differ = choose_tokens(changed, None, keys, 0, sampling, 0.0)[0] != tokens
        turned += int(differ.sum())
        assert not bool((differ & ~doubtful).any())
        assert 0 < doubtful.float().mean() < 0.2
    assert turned > 20


def test_a_draw_from_the_whole_vocabulary_is_the_gumbel_max_over_every_token(monkeypatch):
    """Noise for few tokens must give the sample that noise for all tokens gives."""
    generator = torch.Generator().manual_seed(2)
    monkeypatch.setitem(sampling_module._NUMBERS_AT_ONCE, "cpu", 1 << 10)
    for vocabulary, scale in ((5, 1.0), (130, 8.0), (5000, 0.1), (5000, 3.0), (20_000, 6.0)):
        logits = torch.randn(40, vocabulary, generator=generator) * scale
        keys = row_keys(list(range(40)), "cpu")
        steps = torch.arange(40)
        for temperature in (0.3, 1.0, 3.0):
            scores = logits / temperature + gumbel(keys, steps, torch.arange(vocabulary)[None])
            best = scores.topk(2)
            tokens, doubtful = choose_tokens(logits, None, keys, steps, Sampling(4, temperature), MARGIN)
            assert tokens.tolist() == best.indices[:, 0].tolist()
            assert doubtful.tolist() == (best.values[:, 0] - best.values[:, 1] < MARGIN / temperature).tolist()


def test_few_tokens_of_a_large_vocabulary_get_noise_of_their_own(monkeypatch):
    made = []
    monkeypatch.setattr(sampling_module, "gumbel", lambda *args: made.append(args[2].numel()) or gumbel(*args))
    logits = torch.randn(16, 50_000, generator=torch.Generator().manual_seed(3)) * 5
    choose_tokens(logits, None, row_keys(list(range(16)), "cpu"), 0, Sampling(4, 1.0), MARGIN)
    assert 16 * 64 <= sum(made) < 16 * 70


def test_the_highest_values_are_those_of_topk_also_in_the_last_block():
    values = torch.randn(7, 4133, generator=torch.Generator().manual_seed(4))
    values[0, -1] = values[1, -2] = 9.0
    for number in (1, 2, 60, 64, 300):
        highest, indices = sampling_module._highest(values, number)
        assert highest.equal(values.topk(number).values)
        assert values.gather(1, indices).equal(highest)
