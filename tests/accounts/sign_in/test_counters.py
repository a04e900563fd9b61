"""The counters behave alike in Redis and in the process."""

import pytest
from django.core.cache import caches

from tms.accounts.sign_in.counters import MAX_KEYS, Limit, LocalCounters, RedisCounters, execute

OWN = Limit("own", "own", 3, 900)
SHARED = Limit("shared", "shared", 5, 900)
BOTH = [OWN, SHARED]


@pytest.fixture(params=["process", pytest.param("redis", marks=pytest.mark.services)])
def counters(request):
    return LocalCounters() if request.param == "process" else RedisCounters(execute)


def guess(counters, limits, attempt):
    blocked = counters.begin(limits, attempt)
    assert blocked is None
    return counters.fail(limits, attempt)


def test_the_limit_is_reached_with_its_last_failure_and_reported_once(counters):
    reached = [[limit.name for limit in guess(counters, BOTH, f"a{number}")] for number in range(3)]

    blocked = counters.begin(BOTH, "late")
    assert reached == [[], [], ["own"]]
    assert blocked.limit == OWN
    assert 890 < blocked.wait_s <= 900


def test_concurrent_guesses_are_counted_before_they_fail(counters):
    begun = [counters.begin(BOTH, f"a{number}") for number in range(10)]

    assert begun.count(None) == OWN.most


def test_keys_with_their_own_counters_share_a_limit(counters):
    for number in range(SHARED.most):
        guess(counters, [OWN._replace(key=f"name-{number}"), SHARED], f"a{number}")

    assert counters.begin([OWN._replace(key="another"), SHARED], "late").limit == SHARED


def test_a_refused_attempt_is_not_counted(counters):
    for number in range(3):
        guess(counters, BOTH, f"a{number}")
    for number in range(20):
        counters.begin(BOTH, f"refused-{number}")

    assert counters.begin([OWN._replace(key="another"), SHARED], "other") is None


def test_a_success_clears_the_failures_of_its_own_keys_only(counters):
    other = [OWN._replace(key="other"), SHARED]
    guess(counters, other, "theirs-1")
    guess(counters, other, "theirs-2")
    guess(counters, BOTH, "slip-1")
    guess(counters, BOTH, "slip-2")

    counters.begin(BOTH, "right")
    counters.succeed(BOTH, "right")

    for number in range(3):
        guess(counters, [OWN._replace(key=f"more-{number}"), SHARED], f"more-{number}")
    assert counters.begin([OWN._replace(key="last"), SHARED], "last").limit == SHARED


def test_an_attempt_that_was_cancelled_is_not_counted(counters):
    for number in range(10):
        assert counters.begin(BOTH, f"a{number}") is None
        counters.abandon(BOTH, f"a{number}")


def test_the_window_slides():
    now = [0.0]
    counters = LocalCounters(lambda: now[0])
    for at in (0, 100, 200):
        now[0] = at
        guess(counters, [OWN], f"a{at}")

    now[0] = 899.0
    assert counters.begin([OWN], "early").wait_s == 1.0
    now[0] = 900.0
    assert counters.begin([OWN], "first-again") is None
    now[0] = 950.0
    assert counters.begin([OWN], "second-again").wait_s == 50.0


@pytest.mark.services
def test_redis_expires_its_counters():
    counters = RedisCounters(execute)

    guess(counters, BOTH, "a")

    redis = caches["default"]._cache.get_client(write=True)
    assert all(0 < redis.ttl(caches["default"].make_key(limit.key)) <= 900 for limit in BOTH)


def test_a_process_stores_a_bounded_number_of_keys():
    counters = LocalCounters()
    for number in range(MAX_KEYS + 10):
        counters.begin([OWN._replace(key=str(number))], "a")

    assert len(counters._attempts) == MAX_KEYS
