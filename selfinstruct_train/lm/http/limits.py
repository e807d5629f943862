"""A provider's limits per minute, kept by ourselves before anything is sent.

A rolling window of 60 seconds, not a clock minute. A request enters with an estimate of its tokens and is corrected
when the server says how many there were. It knows of the requests of this process only.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 60.0


@dataclass
class Entry:
    """A request that was sent: when, and how many tokens it is reckoned at."""

    at: float
    tokens: int


class RateLimits:
    """Requests and tokens of the last minute against their limits; None is no limit."""

    def __init__(
        self,
        requests_per_minute: int | None,
        tokens_per_minute: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_requests = requests_per_minute
        self._max_tokens = tokens_per_minute
        self._clock = clock
        self._sent: deque[Entry] = deque()

    def enter(self, tokens: int) -> Entry | float:
        """Enter a request of about so many tokens if it may go now; else return how many seconds to wait first.

        A request that alone exceeds the token limit goes when nothing else is in the window.
        """
        now = self._clock()
        while self._sent and self._sent[0].at + WINDOW_SECONDS <= now:
            self._sent.popleft()
        requests, spent = len(self._sent), sum(entry.tokens for entry in self._sent)
        for entry in self._sent:  # oldest first: the one whose leaving makes room says when
            if self._fits(requests, spent + tokens):
                break
            requests -= 1
            spent -= entry.tokens
            free_at = entry.at + WINDOW_SECONDS
        if requests < len(self._sent):
            return free_at - now
        entry = Entry(now, tokens)
        if self._max_requests is not None or self._max_tokens is not None:
            self._sent.append(entry)
        return entry

    def _fits(self, num_before: int, tokens: int) -> bool:
        return (self._max_requests is None or num_before < self._max_requests) and (
            self._max_tokens is None or tokens <= self._max_tokens
        )
