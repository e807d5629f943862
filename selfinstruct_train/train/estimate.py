"""How much memory and time a training will take, before it is begun."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Devices:
    """What a training runs on: `memory` is bytes of one device, `flops` its dense bf16 (or fp32) peak per second."""

    name: str
    number: int
    memory: int
    flops: float


@dataclass(frozen=True)
class Estimate:
    """Bytes on one device, by part (weights, gradients, optimizer, activations, logits, other), and seconds in all."""

    num_parameters: int
    num_trained: int
    memory: dict[str, int]
    steps: int
    seconds: float

    @property
    def memory_bytes(self) -> int:
        """All parts together."""
        return sum(self.memory.values())
