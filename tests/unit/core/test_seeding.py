"""Derived seeds: stable over time and platforms, distinct over coordinates."""

from __future__ import annotations

import hashlib

from selfinstruct_train.core.seeding import derive_seed


def test_a_seed_is_the_first_63_bits_of_the_sha256_of_the_coordinates_as_json() -> None:
    digest = hashlib.sha256(b'[42,"instructions",0,3]').hexdigest()
    assert derive_seed(42, "instructions", 0, 3) == int(digest[:16], 16) // 2


def test_seeds_do_not_change_from_one_version_to_the_next() -> None:
    assert derive_seed(42) == 6644374401390479799
    assert derive_seed(42, "instructions", 0, 0) == 5388070957871169862


def test_number_and_string_are_different_coordinates() -> None:
    assert derive_seed(1, "1") != derive_seed(1, 1)
    assert derive_seed(1, "a", "b") != derive_seed(1, "ab")


def test_seeds_of_neighbouring_coordinates_differ_and_fit_63_bits() -> None:
    seeds = [derive_seed(s, "x", r, i) for s in range(5) for r in range(20) for i in range(20)]
    assert len(set(seeds)) == 2000
    assert all(0 <= s < 2**63 for s in seeds)
