"""What the roll-up of a site's day is computed from, read once when the day is over.

A day that is rolled up again, because the cause of an outage became known, keeps its hours, terminals and maintenance
as they were then.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Min, Q

from tms.alerts.maintenance import history
from tms.availability.intervals import Interval, Intervals, instant_of, merge, overlap, second_of
from tms.availability.losses import TOGETHER, PastOutage, Piece, alone, pieces_of
from tms.availability.models import SiteDay, TerminalDay
from tms.fleet.identity.past import Period, service_periods, site_periods
from tms.fleet.models import Outage, Site, Terminal
from tms.fleet.sites.calendar import hours_of
from tms.lib.calendar.dates import DAY
from tms.lib.calendar.local_time import instant
from tms.lib.calendar.opening_hours import Hours
from tms.telemetry.models import Boot


class DayTerminal(NamedTuple):
    pk: int
    kind: str
    model: str
    service: Interval
    """The part of the day during which the terminal was in service at the site."""
    excluded: Intervals


@dataclass(frozen=True, slots=True)
class DayFacts:
    site_id: int
    day: date
    begins_at: datetime
    ends_at: datetime
    hours: Intervals
    terminals: list[DayTerminal]
    known: SiteDay | None = None

    @property
    def bounds(self) -> Interval:
        return Interval(second_of(self.begins_at), second_of(self.ends_at))


def bounds_of(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The local day: 23 to 25 hours where clocks change."""
    begins_at, ends_at = (instant(datetime.combine(each, time.min), zone) for each in (day, day + DAY))
    return begins_at, ends_at


def facts_of(site: Site, day: date) -> DayFacts:
    """Recorded, or read now."""
    known = SiteDay.objects.filter(site=site, day=day).select_for_update().first()
    return recorded_facts(known) if known else _read(site, day)


def _read(site: Site, day: date) -> DayFacts:
    begins_at, ends_at = _bounds(site, day)
    bounds = Interval(second_of(begins_at), second_of(ends_at))
    there = site_periods(site.pk, since=begins_at, until=ends_at)
    rows = list(Terminal.objects.filter(pk__in=there).order_by("pk").values_list("pk", "kind", "model"))
    services = _services(there, bounds)
    windows = history.covering(dict.fromkeys(services, site.pk), since=begins_at, until=ends_at)
    terminals = [
        _day_terminal((pk, kind, model), services[pk], _clip(windows.get(pk, ()), bounds))
        for pk, kind, model in rows
        if pk in services
    ]
    return DayFacts(site.pk, day, begins_at, ends_at, _open(hours_of([site.pk])[site.pk], bounds), terminals)


def _bounds(site: Site, day: date) -> tuple[datetime, datetime]:
    """The local day. It begins where the day before ended: after a change of the time zone it is longer or shorter."""
    begins_at, ends_at = bounds_of(day, ZoneInfo(site.time_zone))
    before = SiteDay.objects.filter(site=site, day=day - DAY).values_list("ends_at", flat=True).first()
    begins_at = before or begins_at
    return begins_at, max(begins_at, ends_at)


def recorded_facts(known: SiteDay) -> DayFacts:
    """The facts as they were when the day was rolled up first."""
    bounds = Interval(second_of(known.begins_at), second_of(known.ends_at))
    rows = TerminalDay.objects.filter(site_day=known).order_by("terminal")
    columns = ("terminal", "terminal__kind", "terminal__model", "since", "until", "excluded")
    terminals = [
        DayTerminal(pk, kind, model, Interval(since or bounds.since, until or bounds.until), _intervals(excluded or ()))
        for pk, kind, model, since, until, excluded in rows.values_list(*columns)
    ]
    return DayFacts(
        known.site_id, known.day, known.begins_at, known.ends_at, _intervals(known.hours), terminals, known=known
    )


def _intervals(rows: Collection[Any]) -> list[Interval]:
    return [Interval(*row) for row in rows]


def _open(hours: Hours, bounds: Interval) -> list[Interval]:
    found = []
    ends_at = instant_of(bounds.until)
    for run in hours.runs(instant_of(bounds.since)):
        if run.since >= ends_at:
            break
        since = bounds.since if run.since < instant_of(bounds.since) else second_of(run.since)
        found.append((since, bounds.until if run.until > ends_at else second_of(run.until)))
    return merge(found)


def _day_terminal(identity: tuple[int, str, str], served: Intervals, excluded: Intervals) -> DayTerminal:
    """What lies between two periods in service there is excluded, like maintenance."""
    service = Interval(served[0][0], served[-1][1])
    gaps = [Interval(one[1], other[0]) for one, other in pairwise(served)]
    return DayTerminal(*identity, service, merge([*excluded, *gaps]))


def _clip(periods: Collection[tuple[datetime, datetime]], bounds: Interval) -> list[Interval]:
    return overlap(merge((second_of(since), second_of(until)) for since, until in periods), [bounds])


def _services(there: Mapping[int, list[Period]], bounds: Interval) -> dict[int, Intervals]:
    """When terminals were in service at the site within `bounds`, but not before their first boot.

    `there`: when each was at the site.
    """
    since, until = instant_of(bounds.since), instant_of(bounds.until)
    boots = Boot.objects.filter(terminal__in=there, first_seen_at__lt=until)
    first = dict(boots.order_by().values_list("terminal").annotate(first=Min("first_seen_at")))
    found: dict[int, Intervals] = {}
    for pk, periods in service_periods(first, since=since, until=until).items():
        booted = Interval(max(bounds.since, second_of(first[pk])), bounds.until)
        at_site = overlap(_seconds(there[pk]), [booted]) if booted.since < booted.until else []
        if served := overlap(_seconds(periods), at_site):
            found[pk] = served
    return found


def _seconds(periods: Iterable[Period]) -> list[Interval]:
    return merge((second_of(since), second_of(until)) for since, until in periods)


class SiteOutages(NamedTuple):
    of_terminal: Mapping[int, list[PastOutage]]
    """Outages that overlap the day, by terminal."""
    around: list[PastOutage]
    """All of the site that began with one of them."""


def outages_of(day: DayFacts) -> SiteOutages:
    terminal_pks = [terminal.pk for terminal in day.terminals]
    overlapping = list(_outages(terminal_pks, since=day.begins_at, until=day.ends_at))
    by_terminal: dict[int, list[PastOutage]] = {}
    for outage in overlapping:
        by_terminal.setdefault(outage.terminal_id, []).append(outage)
    if not overlapping:
        return SiteOutages({}, [])
    first = min(outage.began_at for outage in overlapping) - TOGETHER
    around = _outages(terminal_pks, since=first, until=day.ends_at + TOGETHER)
    return SiteOutages(by_terminal, list(around))


def pieces_by_terminal(day: DayFacts, outages: SiteOutages) -> Mapping[int, list[Piece]]:
    """The outages of each terminal, with the reason of each part. They may overlap."""
    apart = alone(outages.around) if len(day.terminals) > 1 else set[int]()
    return {
        pk: [piece for outage in found for piece in pieces_of(outage, is_alone=outage.id in apart, until=day.ends_at)]
        for pk, found in outages.of_terminal.items()
    }


def _outages(terminal_pks: Collection[int], *, since: datetime, until: datetime) -> Iterator[PastOutage]:
    """The outages that overlap the day (index: outage_terminal)."""
    rows = Outage.objects.filter(Q(ended_at=None) | Q(ended_at__gt=since), terminal__in=terminal_pks)
    of_time = rows.filter(began_at__lt=until).order_by("began_at", "pk")
    return (PastOutage(*row) for row in of_time.values_list("pk", *PastOutage._fields[1:]))
