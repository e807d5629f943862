"""The counter-based noise: literals, uniformity, and independence of the batch."""

import math

import torch

from selfinstruct_train.lm.transformers.noise import gumbel, row_keys, uniform

MASK = 2**64 - 1


def test_row_keys_are_splitmix64():
    # The first outputs of splitmix64 seeded with 0 and with 1234567: reference values published for splitmix64.c.
    assert [key & MASK for key in row_keys([0, 1234567], "cpu").tolist()] == [0xE220A8397B1DCDAF, 6457827717110365317]


def test_uniform_numbers_fill_the_unit_interval_evenly():
    numbers = uniform(row_keys(list(range(20)), "cpu"), 3, torch.arange(5000)[None])
    assert numbers.shape == (20, 5000)
    assert 0 < float(numbers.min()) < 1e-3
    assert 1 - 1e-3 < float(numbers.max()) < 1
    counts = torch.histc(numbers, bins=20, min=0, max=1)
    chi_square = float(((counts - 5000) ** 2 / 5000).sum())
    assert chi_square < 43.8  # 19 degrees of freedom, p = 0.001


def test_rows_steps_and_tokens_are_uncorrelated():
    tokens = torch.arange(20000)[None]
    one = uniform(row_keys([1], "cpu"), 0, tokens)[0]
    for other in (
        uniform(row_keys([2], "cpu"), 0, tokens)[0],
        uniform(row_keys([1], "cpu"), 1, tokens)[0],
        one.roll(1),
    ):
        assert abs(float(torch.corrcoef(torch.stack((one, other)))[0, 1])) < 4 / math.sqrt(20000)


def test_gumbel_noise_has_the_mean_and_variance_of_its_distribution():
    noise = gumbel(row_keys([9, 10], "cpu"), 5, torch.arange(50000)[None])
    assert abs(float(noise.mean()) - 0.5772) < 0.02
    assert abs(float(noise.var()) - math.pi**2 / 6) < 0.05


def test_noise_of_a_token_depends_on_row_step_and_token_only():
    whole = gumbel(row_keys([4, 5, 6], "cpu"), 2, torch.arange(100)[None])
    part = gumbel(row_keys([5], "cpu"), 2, torch.tensor([[99, 7]]))
    assert part.tolist() == [[whole[1, 99].item(), whole[1, 7].item()]]
