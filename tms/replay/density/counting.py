"""Counts past days in advance, so that the density of a year does not read each outage.

New days are counted as they pass, older ones from the newest to the start of the history. Each is counted again once a
day: an alert becomes critical later, terminals move to another site or are deleted.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Count, F

from tms.lib.calendar.dates import DAY
from tms.replay.density.buckets import Division
from tms.replay.density.rows import SOURCES, Span
from tms.replay.models import CountedDay, FleetCount, SiteCount
from tms.replay.state import earliest
from tms.telemetry.storage.retention import history_horizon

OF_FLEET, OF_SITE = timedelta(minutes=15), timedelta(hours=6)
"""The length of the time that a row counts for the fleet, and for a site; counted are days."""
SETTLED = timedelta(hours=1)
"""What began at an instant is committed by then: the begin of an outage is found afterwards."""
RECOUNT_AFTER = timedelta(days=1)
PER_PASS = 10
"""Days in one pass of the clock."""
AT_SITES = ("alerts", "critical", "outages")
"""Fields of which the site is known. Whether a scope covers an incident depends on all of its alerts."""


def advance(at: datetime) -> int:
    """One pass of the clock. Returns how many days were counted."""
    _expire(at)
    until = rounded(at - SETTLED, OF_FLEET)
    due = list(islice(dict.fromkeys(_due(until, at)), PER_PASS))
    for day in due:
        count(day, until=min(day + DAY, until), at=at)
    return len(due)


@transaction.atomic
def count(day: datetime, *, until: datetime, at: datetime) -> None:
    """Count a day up to `until`, and replace what was stored of it."""
    of_day = {"begins_at__gte": day, "begins_at__lt": day + DAY}
    fleet, sites = _count(day, until)
    FleetCount.objects.filter(**of_day).delete()
    FleetCount.objects.bulk_create(
        FleetCount(begins_at=begin, **{field: of[field] for field in SOURCES}) for begin, of in fleet.items()
    )
    SiteCount.objects.filter(**of_day).delete()
    SiteCount.objects.bulk_create(
        SiteCount(begins_at=begin, site_id=site, **{field: of[field] for field in AT_SITES})
        for (begin, site), of in sites.items()
    )
    CountedDay.objects.update_or_create(day=day, defaults={"until": until, "counted_at": at})


def day_of(at: datetime) -> datetime:
    return rounded(at, DAY)


def rounded(at: datetime, length: timedelta, *, up: bool = False) -> datetime:
    """The instant rounded to a multiple of a part of a day of UTC."""
    begin = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    parts = -((begin - at) // length) if up else (at - begin) // length
    return begin + parts * length


def _expire(at: datetime) -> None:
    horizon = history_horizon(at)
    CountedDay.objects.filter(day__lt=horizon).delete()
    FleetCount.objects.filter(begins_at__lt=horizon).delete()
    SiteCount.objects.filter(begins_at__lt=horizon).delete()


def _due(until: datetime, at: datetime) -> Iterator[datetime]:
    """Days that are not counted yet, newest first, then the one that was counted longest ago."""
    known = {row.day: row for row in CountedDay.objects.order_by("counted_at", "day")}
    first, day = day_of(earliest(at)), day_of(until)
    while day >= first:
        if day < until and (day not in known or known[day].until < min(day + DAY, until)):
            yield day
        day -= DAY
    oldest = next(iter(known.values()), None)
    if oldest is not None and oldest.counted_at <= at - RECOUNT_AFTER:
        yield oldest.day


def _count(
    day: datetime, until: datetime
) -> tuple[dict[datetime, Counter[str]], dict[tuple[datetime, int], Counter[str]]]:
    """Numbers by field: of each quarter of an hour, and of each part of the day and site."""
    quarters = Division(day, day + DAY, DAY // OF_FLEET)
    fleet: dict[datetime, Counter[str]] = {}
    sites: dict[tuple[datetime, int], Counter[str]] = {}
    for field, source in SOURCES.items():
        found = source.rows([Span(day, until)]).annotate(bucket=quarters.number(F(source.column)))
        columns = ("bucket", "terminal__site") if field in AT_SITES else ("bucket",)
        for quarter, *site, number in found.values_list(*columns).annotate(number=Count("pk")):
            begin = day + quarter * OF_FLEET
            fleet.setdefault(begin, Counter())[field] += number
            for pk in site:
                sites.setdefault((rounded(begin, OF_SITE), pk), Counter())[field] += number
    return fleet, sites
