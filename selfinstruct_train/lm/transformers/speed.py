"""How fast this machine multiplies matrices, and a warning where a 16-bit dtype is slow.

A CPU without instructions for bfloat16 ran such products 85 times slower than float32 ones (0.19 against 16 GFLOP/s,
AMD EPYC without AVX-512); with AMX bfloat16 is the faster one. Only a measurement tells.
"""

from __future__ import annotations

import logging
import time
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

SLOWER = 2.0
"""A dtype counts as slow if float32 is more than this many times as fast."""
_CPU_SIZES, _GPU_SIZES = (64, 128, 256, 512, 1024), (8192,)
_ENOUGH_SECONDS = 0.005
"""A product that takes this long is large enough to measure, so that a slow CPU costs a tenth of a second."""


def measured_flops(device: str, dtype: torch.dtype) -> float:
    """Return the operations per second of square matrix products, the fastest of five.

    On a CPU the size grows up to 1024, until a product takes 5 ms.
    """
    import torch

    flops = 0.0
    for size in _CPU_SIZES if device == "cpu" else _GPU_SIZES:
        left = torch.ones(size, size, dtype=dtype, device=device)
        best = float("inf")
        for _ in range(5):
            start = time.perf_counter()
            result = left @ left
            result[0, 0].item()  # waits for a GPU
            best = min(best, time.perf_counter() - start)
        flops = 2 * size**3 / best
        if best >= _ENOUGH_SECONDS:
            break
    return flops


def slowness(device: str, dtype: torch.dtype) -> str | None:
    """Return by how much a CPU is slower in a 16-bit dtype than in float32, with both figures; None: it is not slow.

    Each dtype is measured once in a process.
    """
    import torch

    if device != "cpu" or dtype == torch.float32:
        return None
    ours, float32 = _cpu_flops(dtype), _cpu_flops(torch.float32)
    if float32 <= SLOWER * ours:
        return None
    name = str(dtype).removeprefix("torch.")
    return (
        f"this CPU multiplies matrices {float32 / ours:.0f} times slower in {name} than in float32 "
        f"({ours / 1e9:.2g} against {float32 / 1e9:.2g} GFLOP/s)"
    )


@lru_cache
def warn_if_slow(device: str, dtype: torch.dtype, remedy: str) -> None:
    """Warn, once in a process, of a 16-bit dtype in which this CPU is slow.

    Args:
        remedy: e.g. "set model.dtype: float32".
    """
    found = slowness(device, dtype)
    if found is not None:
        logger.warning("%s; %s", found, remedy)


@lru_cache
def _cpu_flops(dtype: torch.dtype) -> float:
    return measured_flops("cpu", dtype)
