"""Waits and the choice of a server, without sleeping."""

import random
from datetime import UTC, datetime

import pytest

from selfinstruct_train.lm.http.retry import Server, delay_seconds, next_server, retry_after_seconds


def test_waits_double_from_half_a_second_to_half_a_minute_with_jitter():
    rng = random.Random(1)
    for attempt, longest in [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (6, 16.0), (7, 30.0), (50, 30.0)]:
        waits = [delay_seconds(attempt, rng) for _ in range(200)]
        assert longest / 2 <= min(waits) < longest * 0.55
        assert longest * 0.95 < max(waits) <= longest


def test_waits_are_drawn_from_the_callers_generator():
    assert delay_seconds(3, random.Random(7)) == delay_seconds(3, random.Random(7))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0.25", 0.25),
        ("-3", 0.0),
        ("Sat, 21 Nov 2026 10:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 09:00:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value, seconds):
    assert retry_after_seconds(value, datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)) == seconds


def test_the_least_busy_server_is_next_and_the_first_of_equals():
    a, b, c = Server("a", 2), Server("b", 1), Server("c", 1)
    assert next_server([a, b, c], now=5.0) is b


def test_a_resting_server_is_passed_over_until_it_is_back():
    a, b = Server("a", 0, rests_until=9.0), Server("b", 30)
    assert next_server([a, b], now=8.0) is b
    assert next_server([a, b], now=9.0) is a


def test_when_all_rest_the_wait_is_until_the_first_is_back():
    assert next_server([Server("a", rests_until=9.0), Server("b", rests_until=7.5)], now=7.0) == 0.5


def test_requests_that_fail_together_are_one_failure_of_their_server():
    server, rng = Server("a"), random.Random(0)
    for _ in range(16):
        server.rest(100.0, None, rng)
    assert server.failures == 1
    assert 100.25 <= server.rests_until <= 100.5
    server.rest(101.0, None, rng)
    assert server.failures == 2
    assert 101.5 <= server.rests_until <= 102.0


def test_a_servers_own_wish_sets_its_rest():
    server = Server("a")
    server.rest(100.0, 7.0, random.Random(0))
    server.rest(100.0, 2.0, random.Random(0))
    assert server.rests_until == 107.0
