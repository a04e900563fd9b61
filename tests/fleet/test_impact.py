"""The impact of an alert on the business of its site."""

import pytest

from tms.fleet.sites.impact import ImpactLevel, PeerGroup, score

OPEN, CLOSED = False, True


@pytest.mark.parametrize(
    ("severity", "peers", "is_closed", "level", "share"),
    [
        ("critical", PeerGroup(0, 1), OPEN, ImpactLevel.WHOLE, 0),
        ("critical", PeerGroup(0, 4), OPEN, ImpactLevel.WHOLE, 0),
        ("critical", PeerGroup(1, 10), OPEN, ImpactLevel.PART, 100),
        ("critical", PeerGroup(9, 10), OPEN, ImpactLevel.PART, 900),
        ("critical", PeerGroup(0, 0), OPEN, ImpactLevel.WHOLE, 0),
        ("warning", PeerGroup(0, 1), OPEN, ImpactLevel.NONE, 0),
        ("info", PeerGroup(3, 4), OPEN, ImpactLevel.NONE, 0),
        ("critical", PeerGroup(0, 1), CLOSED, ImpactLevel.CLOSED, 0),
        ("warning", PeerGroup(2, 3), CLOSED, ImpactLevel.CLOSED, 0),
    ],
)
def test_the_impact_depends_on_what_the_alert_blocks(severity, peers, is_closed, level, share):
    assert score(severity, peers, is_closed=is_closed) == (level, share)


def test_the_last_lane_of_an_open_site_ranks_above_one_of_ten_and_a_closed_site():
    last = score("critical", PeerGroup(0, 2), is_closed=OPEN)
    one_of_ten = score("critical", PeerGroup(9, 10), is_closed=OPEN)
    half = score("critical", PeerGroup(1, 2), is_closed=OPEN)
    works_still = score("warning", PeerGroup(1, 1), is_closed=OPEN)
    at_night = score("critical", PeerGroup(0, 1), is_closed=CLOSED)

    assert sorted([at_night, works_still, one_of_ten, half, last]) == [last, half, one_of_ten, works_still, at_night]
