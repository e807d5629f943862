"""Cut the requests of a call into shares: rows that one process runs together, longest first, behind one prefix.

Pure arithmetic on token ids. Requests of several few-shot texts (stage 3 has two) may come in one call in any order;
each text gets shares of its own. Answers do not depend on any of this in float32; in 16 bits they may depend on the
batch, so there the cut knows nothing of the number of processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

MIN_SHARED_PREFIX = 16
"""Shared prompt prefixes of fewer tokens are not worth a run of their own."""
MIN_GROUP = 8
"""Fewer rows with a prefix of their own run with the rest."""
MAX_SHARE_BATCHES = 4
"""Batches in a share at most: rows that finish early make room for others of their share."""


@dataclass(frozen=True)
class Share:
    """Places of requests in their call, longest prompt first, and how many first tokens all of them share."""

    indices: tuple[int, ...]
    prefix_length: int


def shares(
    prompts: Sequence[Sequence[int]], batch_size: int, num_processes: int = 1, is_exact: bool = True
) -> list[Share]:
    """Cut a call into shares.

    Args:
        prompts: token ids of every request.
        is_exact: whether answers do not depend on the batch; then the shares are as many as the processes need.
    """
    result = []
    for group in _groups(prompts):
        prefix_length = _shared_prefix([prompts[i] for i in group])
        order = sorted(group, key=lambda i: (-len(prompts[i]), i))
        if not is_exact:
            size = batch_size * min(max(len(order) // (4 * batch_size), 1), MAX_SHARE_BATCHES)
        elif num_processes == 1:
            size = len(order)
        else:
            size = -(-len(order) // (2 * num_processes))  # two for each process, in case one is slower
        result += [Share(tuple(order[i : i + size]), prefix_length) for i in range(0, len(order), size)]
    return result


def _groups(prompts: Sequence[Sequence[int]]) -> list[list[int]]:
    """Group the indices of prompts that share at least half their tokens with a neighbour; the rest is one group."""
    order = sorted(range(len(prompts)), key=lambda i: (list(prompts[i]), i))
    runs = [[i] for i in order[:1]]
    for one, other in pairwise(order):
        shared = _common(prompts[one], prompts[other])
        if shared >= MIN_SHARED_PREFIX and 2 * shared >= max(len(prompts[one]), len(prompts[other])):
            runs[-1].append(other)
        else:
            runs.append([other])
    groups = [run for run in runs if len(run) >= MIN_GROUP]
    rest = [i for run in runs if len(run) < MIN_GROUP for i in run]
    return [*groups, rest] if rest else groups


def _shared_prefix(prompts: list[Sequence[int]]) -> int:
    """Return how many tokens all share if they are worth it, else 0; every prompt keeps one token of its own."""
    first, last = min(prompts, key=list), max(prompts, key=list)
    length = min(_common(first, last), min(map(len, prompts)) - 1)
    return length if len(prompts) > 1 and length >= MIN_SHARED_PREFIX else 0


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
