"""When a job starts, and when again. Pure.

A start that was missed, because the clock was away or the job paused, is made up if its run could still be going. It is
skipped if its time is over or the run before is still going.
"""

from datetime import datetime
from typing import NamedTuple

from tms.lib.calendar.recurrence import Occurrence, Recurrence


class Plan(NamedTuple):
    starts: bool
    next: Occurrence | None


def plan(due: Occurrence, recurrence: Recurrence | None, at: datetime, *, is_going: bool) -> Plan:
    """What becomes of an occurrence whose start has come, and which follows."""
    return Plan(due.until > at and not is_going, following(due, recurrence, at))


def following(before: Occurrence, recurrence: Recurrence | None, at: datetime) -> Occurrence | None:
    """The first occurrence after `before` whose time is not over; None if there is none."""
    if recurrence is None:
        return None
    return next((found for found in recurrence.occurrences(at) if found.since > before.since), None)
