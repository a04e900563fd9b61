"""When two devices that use one credential are banned."""

import pytest

from tms.ingest.takeovers import Takeovers


@pytest.fixture
def takeovers(settings) -> Takeovers:
    settings.TAKEOVERS_PER_MINUTE, settings.TAKEOVER_BAN_S = 3, 300
    return Takeovers()


STRUGGLES = [
    # when each takeover happens (s), whether the last one is too many
    ([0, 1, 2], False),
    ([0, 1, 2, 3], True),
    ([0, 20, 40, 59.9], True),
    ([0, 20, 40, 60], False),
    ([0, 40, 60, 80, 99], True),
    ([0, 1, 2, 70, 71, 72], False),
]


@pytest.mark.parametrize(("times", "banned"), STRUGGLES)
def test_more_takeovers_within_a_minute_than_are_allowed_are_a_ban(takeovers, times, banned):
    verdicts = [takeovers.count(7, at=1000.0 + time) for time in times]

    assert verdicts == [False] * (len(times) - 1) + [banned]
    assert (takeovers.ban_left_s(7, at=1000.0 + times[-1]) > 0) == banned


def test_a_ban_lasts_its_time_and_the_count_begins_anew(takeovers):
    for second in range(4):
        takeovers.count(7, at=1000.0 + second)

    assert takeovers.ban_left_s(7, at=1003.0) == 300
    assert takeovers.ban_left_s(7, at=1302.0) == 1
    assert takeovers.ban_left_s(7, at=1303.0) == 0
    assert takeovers.ban_left_s(8, at=1003.0) == 0
    assert not takeovers.count(7, at=1304.0)


def test_it_remembers_nobody_for_longer_than_it_counts(takeovers):
    for terminal_id in range(1_000):
        takeovers.count(terminal_id, at=1000.0)
    remembered = len(takeovers)

    takeovers.count(5_000, at=1061.0)

    assert (remembered, len(takeovers)) == (1_000, 1)
