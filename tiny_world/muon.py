"""Muon for the matrices of the tiny base model: momentum, made orthogonal by Newton-Schulz steps (Jordan et al., 2024).

Updates are scaled to AdamW's size (0.2 times the root of the longer side, arXiv 2502.16982), so that one learning rate
serves both. Matrices that the network fuses (query, key, value; gate, up) are made orthogonal one by one. One process only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor

# Quintic coefficients and the number of steps of the original implementation.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
STEPS = 5


def orthogonal(matrices: Tensor) -> Tensor:
    """Replace the singular values of each of (number, rows, columns) by values near 1; bfloat16 inside."""
    a, b, c = COEFFICIENTS
    x = matrices.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.transpose(-1, -2)
    x = x / (x.norm(dim=(-1, -2), keepdim=True) + 1e-7)
    for _ in range(STEPS):
        gram = x @ x.transpose(-1, -2)
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return (x.transpose(-1, -2) if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum and decoupled weight decay.

    Args:
        parameters: each matrix with the row counts of the matrices fused in it.
    """

    def __init__(
        self,
        parameters: Sequence[tuple[Tensor, Sequence[int]]],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__([p for p, _ in parameters], {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self.rows = {p: list(rows) for p, rows in parameters}

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Update every matrix; those of one shape go through the Newton-Schulz steps together."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[tuple[Tensor, Tensor]]] = defaultdict(list)
            for p in group["params"]:
                state = self.state[p]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(p)
                state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(state["momentum"], group["momentum"])
                p.mul_(1 - group["lr"] * group["weight_decay"])
                for part, target in zip(update.split(self.rows[p]), p.split(self.rows[p]), strict=True):
                    by_shape[part.shape].append((part, target))
            for shape, pairs in by_shape.items():
                updates = orthogonal(torch.stack([part for part, _ in pairs]))
                for update, (_, target) in zip(updates, pairs, strict=True):
                    target.add_(update, alpha=-group["lr"] * 0.2 * max(shape) ** 0.5)
