"""Draw loss.png, the training loss over the optimizer steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def plot_loss(history: Sequence[dict[str, Any]], title: str, path: Path) -> None:
    """Draw the logged losses into a PNG file, with their running mean if there are many."""
    from matplotlib.figure import Figure

    points = [(entry["step"], float(entry["loss"])) for entry in history if "loss" in entry and "step" in entry]
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    steps, losses = [step for step, _ in points], [loss for _, loss in points]
    window = max(1, len(points) // 20)
    if window > 1:
        axes.plot(steps, losses, color="#9db4d0", linewidth=0.8, label="logged")
        means = [sum(losses[max(0, i - window + 1) : i + 1]) / min(window, i + 1) for i in range(len(losses))]
        axes.plot(steps, means, color="#1f4e8c", linewidth=1.8, label=f"mean of {window}")
        axes.legend(frameon=False)
    else:
        axes.plot(steps, losses, color="#1f4e8c", linewidth=1.5, marker="o", markersize=3)
    axes.set(title=title, xlabel="optimizer step", ylabel="loss on completion tokens")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(path, dpi=150)
