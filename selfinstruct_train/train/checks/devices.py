"""The devices of a training: number, memory and peak speed. Free memory is not looked at."""

from __future__ import annotations

from dataclasses import dataclass

from ...lm.transformers.speed import measured_flops, slowness

PEAK_TERAFLOPS = {
    # Dense bfloat16 tensor-core peaks from the makers' data sheets (their "with sparsity" figures halved). The first
    # key whose words are all in the driver's name of a GPU counts, so longer keys come first.
    "B200": 2250.0,
    "GH200": 989.4,
    "H200": 989.4,
    "H100 NVL": 835.5,
    "H100 PCIe": 756.0,
    "H100": 989.4,
    "A100": 312.0,
    "A800": 312.0,
    "A10G": 70.0,
    "A10": 125.0,
    "L40S": 362.0,
    "L40": 181.0,
    "L4": 121.0,
    "RTX 6000 Ada": 364.2,
    "RTX A6000": 154.8,
    "RTX 5090": 209.5,
    "RTX 4090": 165.2,
    "RTX 3090": 71.0,
}
PEAK_TERAFLOPS_FLOAT32 = {"V100": 15.7, "T4": 8.1}
"""GPUs without bfloat16, which train in float32."""


@dataclass(frozen=True)
class Devices:
    """The devices of a training: `memory` in bytes and `flops`, the dense bf16 (or fp32) peak per second, of each."""

    name: str
    number: int
    memory: int
    flops: float
    on_gpu: bool = True
    has_bfloat16: bool = True
    slowness: str | None = None
    """By how much a CPU is slower in the training's precision than in float32; None: it is not slow."""


def find_devices(on_gpu: bool, num_processes: int, uses_bfloat16: bool = False) -> Devices:
    """Return the devices of this machine for a training with one device for each process.

    On a CPU, the processes share its memory, and the speed is measured by a matrix product with the threads of this
    process. A GPU that is not in the table is measured too.

    Args:
        uses_bfloat16: the precision of the training's matrix products on a CPU, else float32.
    """
    import psutil
    import torch

    if not on_gpu:
        memory = psutil.virtual_memory().total // num_processes
        dtype = torch.bfloat16 if uses_bfloat16 else torch.float32
        speed = measured_flops("cpu", dtype)
        return Devices("CPU", num_processes, memory, speed, False, False, slowness("cpu", dtype))
    properties = torch.cuda.get_device_properties(0)
    has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    flops = known_peak(properties.name)
    if flops is None:
        flops = measured_flops("cuda", torch.bfloat16 if has_bfloat16 else torch.float32)
    return Devices(properties.name, num_processes, properties.total_memory, flops, True, has_bfloat16)


def known_peak(name: str) -> float | None:
    """Return a GPU's peak in operations per second by the driver's name of it; None: it is not in the table."""
    words = name.replace("-", " ").split()
    for known, teraflops in (PEAK_TERAFLOPS | PEAK_TERAFLOPS_FLOAT32).items():
        if all(word in words for word in known.split()):
            return teraflops * 1e12
    return None
