"""How long an acknowledgement or a snooze may last."""

from datetime import datetime, timedelta

FARTHEST = timedelta(days=31)


def is_in_reach(until: datetime, *, at: datetime) -> bool:
    """Whether what is taken or put off at `at` may last so long."""
    return at < until <= at + FARTHEST
