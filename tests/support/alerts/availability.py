"""A small fleet with outages, for tests of availability: days in Japan, rolled up when they are over."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tests.support.builders import Fleet
from tms.availability.rollup import services
from tms.fleet.models import Cause, Outage, Site, Terminal
from tms.fleet.models.opening_hours import OpeningHours
from tms.telemetry.models import Boot

DAY = date(2026, 10, 14)
"""A Wednesday."""


def tokyo(clock: str, day: date = DAY) -> datetime:
    """What clocks in Japan show, as an instant."""
    hour, _, minute = clock.partition(":")
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=int(hour) - 9, minutes=int(minute or 0))


def open_daily(site: Site, opens: str = "09:00", closes: str = "21:00") -> Site:
    OpeningHours.objects.bulk_create(
        OpeningHours(
            site=site, weekday=weekday, opens_at=time.fromisoformat(opens), closes_at=time.fromisoformat(closes)
        )
        for weekday in range(7)
    )
    return site


def serving(fleet: Fleet, site: Site, *, since: datetime | None = None, **fields: Any) -> Terminal:
    """A terminal that is in service since its first boot, by default since midnight of `DAY`."""
    terminal = fleet.online(site=site, **fields)
    Boot.objects.create(terminal=terminal, boot_id="boot-1", first_seen_at=since or tokyo("00:00"))
    return terminal


def away(terminal: Terminal, since: datetime, until: datetime | None, cause: str = "network", **fields: Any) -> Outage:
    known = {"lost_by": Cause.CONNECTION_LOST, "reports_sent": None if until is None else 0}
    cause = "" if until is None else cause
    return Outage.objects.create(terminal=terminal, began_at=since, ended_at=until, cause=cause, **known | fields)


def roll_up_until(day: date = DAY) -> datetime:
    """Roll up all days to the end of `day`, as the clock does. Returns the time of the last pass."""
    at = tokyo("24:15", day)
    while services.advance(at):
        pass
    return at
