"""A limit of connections per key."""

import pytest

from consumers.connection_limits import ConnectionLimiter, is_loopback


@pytest.fixture
def limiter() -> ConnectionLimiter[str]:
    return ConnectionLimiter("test", lambda: 2, is_exempt=lambda key: key == "exempt")


def test_one_more_than_the_limit_is_refused_until_another_is_released(limiter):
    assert limiter.enter("a")
    assert limiter.enter("a")

    assert not limiter.enter("a")
    limiter.leave("a")

    assert limiter.enter("a")


def test_keys_have_separate_limits(limiter):
    limiter.enter("a")
    limiter.enter("a")

    assert limiter.enter("b")


def test_the_usage_is_that_of_the_busiest_key(limiter):
    assert limiter.usage() == 0
    limiter.enter("a")
    limiter.enter("b")
    assert limiter.usage() == 0.5

    limiter.enter("b")

    assert limiter.usage() == 1


def test_released_keys_are_not_stored(limiter):
    limiter.enter("a")

    limiter.leave("a")

    assert limiter.counts == {}


def test_without_a_limit_all_are_accepted():
    limiter: ConnectionLimiter[str] = ConnectionLimiter("test", lambda: 0)

    assert all(limiter.enter("a") for _ in range(100))
    assert limiter.usage() == 0


def test_an_exempt_key_is_not_counted(limiter):
    assert all(limiter.enter("exempt") for _ in range(100))

    limiter.leave("exempt")

    assert limiter.counts == {}


@pytest.mark.parametrize(
    ("address", "is_it"),
    [
        ("127.0.0.1", True),
        ("127.0.0.100", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("2001:db8::1", False),
        (None, False),
    ],
)
def test_this_machine_itself_is_not_counted_as_an_address(address, is_it):
    assert is_loopback(address) is is_it
