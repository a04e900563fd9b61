"""What stands in the way of business, and how much."""

import pytest

from tms.alerts.impact import Crew, Standstill, weigh

OPEN, CLOSED = False, True


@pytest.mark.parametrize(
    ("severity", "crew", "is_closed", "standstill", "share"),
    [
        ("critical", Crew(0, 1), OPEN, Standstill.WHOLE, 0),
        ("critical", Crew(0, 4), OPEN, Standstill.WHOLE, 0),
        ("critical", Crew(1, 10), OPEN, Standstill.PART, 100),
        ("critical", Crew(9, 10), OPEN, Standstill.PART, 900),
        ("critical", Crew(0, 0), OPEN, Standstill.WHOLE, 0),
        ("warning", Crew(0, 1), OPEN, Standstill.NONE, 0),
        ("info", Crew(3, 4), OPEN, Standstill.NONE, 0),
        ("critical", Crew(0, 1), CLOSED, Standstill.CLOSED, 0),
        ("warning", Crew(2, 3), CLOSED, Standstill.CLOSED, 0),
    ],
)
def test_an_alert_weighs_what_it_keeps_from_working(severity, crew, is_closed, standstill, share):
    assert weigh(severity, crew, is_closed=is_closed) == (standstill, share)


def test_the_last_lane_of_an_open_site_outranks_one_of_ten_and_whatever_is_closed():
    last = weigh("critical", Crew(0, 2), is_closed=OPEN)
    one_of_ten = weigh("critical", Crew(9, 10), is_closed=OPEN)
    half = weigh("critical", Crew(1, 2), is_closed=OPEN)
    works_still = weigh("warning", Crew(1, 1), is_closed=OPEN)
    at_night = weigh("critical", Crew(0, 1), is_closed=CLOSED)

    assert sorted([at_night, works_still, one_of_ten, half, last]) == [last, half, one_of_ten, works_still, at_night]
