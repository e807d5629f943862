"""Seeds for everything random, derived from the run's seed and the coordinates of the thing.

A draw depends on what it is for (stage, round, request), never on how many draws came before it or on the hash seed, so
interrupted, resumed, batched and distributed runs draw the same.
"""

from __future__ import annotations

import hashlib
import json

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode  # made once: json.dumps makes one each call


def derive_seed(seed: int, *coordinates: str | int) -> int:
    """Derive a seed in [0, 2**63) from the run's seed and coordinates: `derive_seed(42, "instructions", 3, 0)`.

    The number 1 and the string "1" are different coordinates.
    """
    canonical = _encode([seed, *coordinates])
    digest = hashlib.sha256(canonical.encode("ascii")).digest()
    return int.from_bytes(digest[:8], "big") >> 1  # 63 bits: what numpy, torch and parquet take as a signed integer
