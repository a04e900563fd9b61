"""Conversion between local times of a time zone and instants. Pure."""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def instant(wall: datetime, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """When the clocks of `zone` show `wall`, which has no zone: the first time, or the `last` if they show it twice.

    A time that the clocks skip is the instant of the change: what begins or ends then does so there.
    """
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return second if last else first
    # Within a gap it is the other way round (PEP 495): `second` is before the change, and `first` after it.
    seconds = range(int((first - second).total_seconds()))
    leap = bisect_left(seconds, wall, key=lambda passed: local_time(second + timedelta(seconds=passed), zone))
    return second + timedelta(seconds=leap)


def local_time(at: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks of `zone` show at an instant."""
    return at.astimezone(zone).replace(tzinfo=None)
