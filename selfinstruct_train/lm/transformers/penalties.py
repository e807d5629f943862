"""Presence and frequency penalties: which tokens each row has generated, how often, and what that takes off its logits.

Only the generated tokens are stored, not a number for every token of the vocabulary: at a vocabulary of 262,144 a step
with dense counts costs as much as a fifth of a small model's forward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...core.records import Sampling

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class TokenCounts:
    """The generated tokens of each row: `ids` int64 and `times` float32, both (batch, entries).

    A token may have several entries in a row; each of them says how often the row has generated it.
    """

    ids: Tensor
    times: Tensor

    @classmethod
    def empty(cls, num_rows: int, device: str) -> TokenCounts:
        """Return the counts of rows that have generated nothing."""
        import torch

        return cls(torch.zeros(num_rows, 0, dtype=torch.int64, device=device), torch.zeros(num_rows, 0, device=device))

    def with_tokens(self, tokens: Tensor) -> TokenCounts:
        """Count one more token of each row, int64 (batch,)."""
        import torch

        is_same = self.ids == tokens[:, None]
        times = self.times + is_same
        now = (times * is_same).amax(1, keepdim=True) if self.ids.shape[1] else times.new_zeros(len(tokens), 1)
        return TokenCounts(torch.cat((self.ids, tokens[:, None]), 1), torch.cat((times, now.clamp(min=1)), 1))

    def rows(self, indices: Tensor | slice) -> TokenCounts:
        """Return the counts of some rows."""
        return TokenCounts(self.ids[indices], self.times[indices])

    @staticmethod
    def joined(parts: Sequence[TokenCounts]) -> TokenCounts:
        """Return the rows of all parts, in order; shorter rows are filled with entries of token 0."""
        import torch

        width = max(part.ids.shape[1] for part in parts)
        ids, times = [], []
        for part in parts:
            missing = width - part.ids.shape[1]
            is_zero = part.ids == 0
            zeros = (part.times * is_zero).amax(1, keepdim=True) if part.ids.shape[1] else part.times.sum(1)[:, None]
            ids.append(torch.nn.functional.pad(part.ids, (0, missing)))
            times.append(torch.cat((part.times, zeros.expand(-1, missing)), 1))
        return TokenCounts(torch.cat(ids), torch.cat(times))


def penalized(logits: Tensor, counts: TokenCounts, sampling: Sampling) -> Tensor:
    """Lower the logits of generated tokens: by frequency_penalty for each time, by presence_penalty once.

    The formula is that of the OpenAI API reference ("Frequency and presence penalties").

    Args:
        logits: float32 (batch, vocabulary), not changed.
    """
    times = counts.times
    lowered = (
        logits.gather(1, counts.ids) - times * sampling.frequency_penalty - (times > 0) * sampling.presence_penalty
    )
    return logits.scatter(1, counts.ids, lowered)
