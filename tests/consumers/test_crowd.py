"""No more than so many of the same (R12)."""

import pytest

from consumers.connection_limits import ConnectionLimiter, is_loopback


@pytest.fixture
def crowd() -> ConnectionLimiter[str]:
    return ConnectionLimiter("test", lambda: 2, is_anybody=lambda who: who == "anybody")


def test_one_more_than_the_limit_is_refused_until_another_leaves(crowd):
    assert crowd.enter("a")
    assert crowd.enter("a")

    assert not crowd.enter("a")
    crowd.leave("a")

    assert crowd.enter("a")


def test_one_does_not_stand_in_the_way_of_another(crowd):
    crowd.enter("a")
    crowd.enter("a")

    assert crowd.enter("b")


def test_the_crowding_is_that_of_the_one_with_the_most(crowd):
    assert crowd.crowding() == 0
    crowd.enter("a")
    crowd.enter("b")
    assert crowd.crowding() == 0.5

    crowd.enter("b")

    assert crowd.crowding() == 1


def test_nothing_is_kept_of_who_has_left(crowd):
    crowd.enter("a")

    crowd.leave("a")

    assert crowd.inside == {}


def test_without_a_limit_all_come_in():
    crowd: ConnectionLimiter[str] = ConnectionLimiter("test", lambda: 0)

    assert all(crowd.enter("a") for _ in range(100))
    assert crowd.crowding() == 0


def test_whoever_is_anybody_is_not_counted(crowd):
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
def test_this_machine_itself_is_no_address_of_anybody(address, is_it):
    assert is_loopback(address) is is_it
