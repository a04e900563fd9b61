"""Limits for the length of an acknowledgement or a snooze."""

from datetime import datetime, timedelta

MAX_DURATION = timedelta(days=31)


def is_in_reach(until: datetime, *, at: datetime) -> bool:
    """Whether an acknowledgement or snooze made `at` may last until then."""
    return at < until <= at + MAX_DURATION
