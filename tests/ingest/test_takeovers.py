"""When two devices that use one credential are banned."""

from datetime import timedelta

import pytest

from tests.support.builders import AT, Link
from tms.ingest import commit, takeovers
from tms.ingest.models import TakeoverCounter
from tms.ingest.takeovers import Bans
from tms.telemetry.models import Event


@pytest.fixture(autouse=True)
def limits(settings) -> None:
    settings.TAKEOVERS_PER_MINUTE, settings.TAKEOVER_BAN_S = 3, 300


TAKEOVERS = [
    # times of takeovers (s), whether the last one exceeds the limit
    ([0, 1, 2], False),
    ([0, 1, 2, 3], True),
    ([0, 20, 40, 59.9], True),
    ([0, 20, 40, 60], False),
    ([0, 40, 60, 80, 99], True),
    ([0, 1, 2, 70, 71, 72], False),
]


@pytest.mark.parametrize(("times", "banned"), TAKEOVERS)
def test_more_takeovers_within_a_minute_than_allowed_cause_a_ban(times, banned):
    counter = TakeoverCounter()

    rule_events = [takeovers.add(counter, at=AT + timedelta(seconds=time)) for time in times]

    assert rule_events == [False] * (len(times) - 1) + [banned]
    assert (counter.banned_until is not None) == banned


def test_a_ban_expires_and_counting_restarts():
    counter = TakeoverCounter()
    for second in range(4):
        takeovers.add(counter, at=AT + timedelta(seconds=second))

    assert counter.banned_until == AT + timedelta(seconds=303)
    assert not takeovers.add(counter, at=AT + timedelta(seconds=302))
    assert not takeovers.add(counter, at=AT + timedelta(seconds=304))
    assert len(counter.taken_at) == 1


@pytest.mark.both
@pytest.mark.django_db
def test_takeovers_of_one_commit_count_too_and_the_excess_is_recorded_once(fleet):
    link, other = Link(fleet.terminal()), Link(fleet.terminal())
    commit.write([link.boot(), other.boot(), other.taken_over(), *(link.taken_over() for _ in range(2))])

    commit.write([link.taken_over() for _ in range(4)])

    assert list(TakeoverCounter.objects.banned(AT).values_list("pk", flat=True)) == [link.identity.terminal_id]
    assert Event.objects.get().terminal_id == link.identity.terminal_id


def test_a_node_refuses_for_as_long_as_the_ban_lasts():
    bans = Bans()
    bans.read([(7, 300.0)], at=1000.0)

    assert bans.left_s(7, at=1000.0) == 300
    assert bans.left_s(7, at=1299.0) == 1
    assert bans.left_s(7, at=1300.0) == 0
    assert bans.left_s(8, at=1000.0) == 0


def test_a_ban_that_no_longer_exists_is_dropped():
    bans = Bans()
    bans.read([(7, 300.0)], at=1000.0)

    bans.read([], at=1002.0)

    assert bans.left_s(7, at=1002.0) == 0
