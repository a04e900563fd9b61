"""How a day compares with its target. Pure."""

from collections.abc import Mapping
from datetime import date

from tms.availability.report.report import BARS
from tms.lib.calendar.dates import DAY

MUCH = 1.0
"""Points below the target from which on a day is critical."""


def day_state(counted_s: int, lost_s: int, target: float) -> str:
    if not counted_s:
        return "closed"
    percent = 100 * (counted_s - lost_s) / counted_s
    if percent >= target:
        return "met"
    return "warning" if percent >= target - MUCH else "critical"


def day_states(days: Mapping[date, tuple[int, int]], last: date, target: float) -> list[str]:
    """The states of the 90 days until `last`. `days`: (counted, lost) in seconds; a day without figures was before
    its first.
    """
    found = [days.get(last - back * DAY) for back in range(BARS - 1, -1, -1)]
    return ["none" if each is None else day_state(*each, target) for each in found]
