"""Limits per minute, with a clock that the test turns by hand."""

import pytest

from selfinstruct_train.lm.http.limits import Entry, RateLimits


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_without_limits_everything_goes(clock):
    limits = RateLimits(None, None, clock)
    assert all(isinstance(limits.enter(10**6), Entry) for _ in range(1000))


def test_the_request_after_the_limit_waits_until_the_first_is_a_minute_old(clock):
    limits = RateLimits(2, None, clock)
    assert isinstance(limits.enter(1), Entry)
    clock.now += 10
    assert isinstance(limits.enter(1), Entry)
    clock.now += 5
    assert limits.enter(1) == 45.0
    clock.now += 44.9
    assert limits.enter(1) == pytest.approx(0.1)
    clock.now += 0.1
    assert isinstance(limits.enter(1), Entry)
    assert limits.enter(1) == 10.0  # until the second is a minute old


def test_tokens_wait_for_as_many_old_ones_as_make_room(clock):
    limits = RateLimits(None, 100, clock)
    for tokens in (50, 20, 30):
        assert isinstance(limits.enter(tokens), Entry)
        clock.now += 1
    assert limits.enter(60) == 58.0  # the first two must go: entered at 0 and 1, it is 3 now
    assert limits.enter(50) == 57.0  # the first alone


def test_the_servers_count_corrects_the_estimate(clock):
    limits = RateLimits(None, 100, clock)
    entry = limits.enter(90)
    assert isinstance(entry, Entry)
    assert limits.enter(20) == 60.0
    entry.tokens = 30
    assert isinstance(limits.enter(70), Entry)
    assert limits.enter(1) == 60.0


def test_a_request_larger_than_the_limit_goes_alone(clock):
    limits = RateLimits(None, 100, clock)
    assert isinstance(limits.enter(500), Entry)
    assert limits.enter(500) == 60.0
    clock.now += 60
    assert isinstance(limits.enter(500), Entry)


def test_no_minute_sees_more_than_the_limit(clock):
    limits = RateLimits(7, 1000, clock)
    sent = []
    for number in range(60):
        tokens = 50 + 37 * number % 200
        while not isinstance(wait := limits.enter(tokens), Entry):
            assert 0 < wait <= 60
            clock.now += wait
        sent.append((clock.now, tokens))
        clock.now += 0.5
    for start, _ in sent:
        minute = [tokens for at, tokens in sent if start <= at < start + 60]
        assert len(minute) <= 7
        assert sum(minute) <= 1000
