"""When to ask a server again: which troubles pass, how long to wait, and which server to ask next.

Waits grow from half a second, doubling up to half a minute, with jitter from a generator the caller seeds; a server's
own Retry-After is followed instead. No clock is read here that was not handed in.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRIED_STATUSES = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Answers that may be another one later; 529: overloaded, outside the standard."""
RESTING_STATUSES = frozenset({429, 503, 529})
"""Of these, the ones that speak of the whole server, not of one request."""
FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 30.0
MAX_RETRY_AFTER_SECONDS = 300.0
"""A server that asks for a longer wait gets no further request in this call."""


def delay_seconds(attempt: int, rng: random.Random) -> float:
    """Return how long to wait after the `attempt`-th failure, 1 being the first: half to all of 0.5, 1, 2 ... 30 s."""
    return min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** (attempt - 1)) * rng.uniform(0.5, 1.0)


def retry_after_seconds(value: str | None, now: datetime | None = None) -> float | None:
    """Read a Retry-After header, in seconds or as an HTTP date; None where there is none that can be read."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except ValueError:
            return None
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        seconds = (date - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if seconds < float("inf") else None


@dataclass
class Server:
    """One address that serves the model, and what is known of its state; times are those of the caller's clock."""

    url: str
    in_flight: int = 0
    rests_until: float = 0.0
    failures: int = 0

    def rest(self, now: float, wait: float | None, rng: random.Random) -> None:
        """Send nothing here for `wait` seconds, or longer with each failure since its last answer."""
        if self.rests_until <= now:  # many requests that fail together are one failure
            self.failures += 1
        seconds = delay_seconds(max(1, self.failures), rng) if wait is None else wait
        self.rests_until = max(self.rests_until, now + seconds)


def next_server(servers: list[Server], now: float) -> Server | float:
    """Return the least busy server that does not rest, the first of equals; if all rest, seconds until one is back."""
    awake = [server for server in servers if server.rests_until <= now]
    if not awake:
        return min(server.rests_until for server in servers) - now
    return min(awake, key=lambda server: server.in_flight)
