"""A limit of connections per key (R12)."""

import pytest

from consumers.connection_limits import ConnectionLimiter, is_loopback


@pytest.fixture
def crowd() -> ConnectionLimiter[str]:
    return ConnectionLimiter("test", lambda: 2, is_anybody=lambda who: who == "anybody")


def test_one_more_than_the_limit_is_refused_until_another_is_released(crowd):
    assert crowd.enter("a")
    assert crowd.enter("a")

    assert not crowd.enter("a")
    crowd.leave("a")

    assert crowd.enter("a")


def test_keys_have_separate_limits(crowd):
    crowd.enter("a")
    crowd.enter("a")

    assert crowd.enter("b")


def test_the_crowding_is_that_of_the_busiest_key(crowd):
    assert crowd.crowding() == 0
    crowd.enter("a")
    crowd.enter("b")
    assert crowd.crowding() == 0.5

    crowd.enter("b")

    assert crowd.crowding() == 1


def test_released_keys_are_not_stored(crowd):
    crowd.enter("a")

    crowd.leave("a")

    assert crowd.inside == {}


def test_without_a_limit_all_are_accepted():
    crowd: ConnectionLimiter[str] = ConnectionLimiter("test", lambda: 0)

    assert all(crowd.enter("a") for _ in range(100))
    assert crowd.crowding() == 0


def test_an_anonymous_person_is_not_counted(crowd):
    assert all(crowd.enter("anybody") for _ in range(100))

    crowd.leave("anybody")

    assert crowd.inside == {}


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
