"""Gumbel noise that belongs to a row: a counter-based generator in torch, without any state.

The noise of token t at step s of a row is a hash of (row seed, s, t): the splitmix64 mixing function three times over.
So no generator object is kept for a row, only the tokens that are still in play need noise, rows are handled together
on any device, and neither the batch nor the order of work can reach a sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

# splitmix64 (Steele, Lea and Flood 2014; Vigna's public-domain splitmix64.c), written as signed 64-bit numbers.
_GAMMA = 0x9E3779B97F4A7C15 - 2**64
_MULTIPLIER_1 = 0xBF58476D1CE4E5B9 - 2**64
_MULTIPLIER_2 = 0x94D049BB133111EB - 2**64


def row_keys(seeds: list[int], device: str) -> Tensor:
    """Return one int64 key (batch,) for each row's seed (taken modulo 2^64)."""
    import torch

    signed = [((seed + 2**63) % 2**64) - 2**63 for seed in seeds]
    return _mix(torch.tensor(signed, dtype=torch.int64, device=device) + _GAMMA)


def gumbel(keys: Tensor, step: int | Tensor, tokens: Tensor) -> Tensor:
    """Return standard Gumbel noise, float64, of the shape of `tokens`.

    Args:
        keys: int64 (batch,), from `row_keys`.
        step: how many tokens the rows have generated so far, one number or int64 (batch,).
        tokens: int64 token ids, (batch, candidates) or (1, vocabulary) for all rows alike.
    """
    return -(-uniform(keys, step, tokens).log()).log()


def uniform(keys: Tensor, step: int | Tensor, tokens: Tensor) -> Tensor:
    """Return float64 numbers in the open interval (0, 1); the arguments are those of `gumbel`."""
    import torch

    return (_shift_right(_bits(keys, step, tokens), 11).to(torch.float64) + 0.5) * 2.0**-53


def uniform_floors(keys: Tensor, step: int | Tensor, tokens: Tensor) -> Tensor:
    """Return `uniform` times 2^24, rounded down: float32 whole numbers, made twice as fast."""
    import torch

    return _shift_right(_bits(keys, step, tokens), 40).to(torch.float32)


def _bits(keys: Tensor, step: int | Tensor, tokens: Tensor) -> Tensor:
    import torch

    steps = (torch.as_tensor(step, dtype=torch.int64, device=keys.device) + 1) * _GAMMA  # int64 wraps around
    step_keys = _mix(keys + steps)
    return _mix(step_keys[:, None] + (tokens + 1) * _GAMMA)


def _mix(z: Tensor) -> Tensor:
    """Mix the bits of `z`, which is overwritten."""
    z.bitwise_xor_(_shift_right(z, 30)).mul_(_MULTIPLIER_1)
    z.bitwise_xor_(_shift_right(z, 27)).mul_(_MULTIPLIER_2)
    return z.bitwise_xor_(_shift_right(z, 31))


def _shift_right(z: Tensor, bits: int) -> Tensor:
    """Shift as unsigned numbers do; torch's shift of int64 copies the sign."""
    return (z >> bits).bitwise_and_((1 << (64 - bits)) - 1)
