"""The availability of a month: what pages, CSV, REST, PDF and mail show."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max, Min, Model, QuerySet

from tms.accounts.access import within
from tms.accounts.scope import EVERYTHING, Scope
from tms.alerts.models import Alert, Incident
from tms.alerts.statistics.response_times import By as TimesBy
from tms.alerts.statistics.response_times import ResponseTimes, times
from tms.availability.losses import LossReason
from tms.availability.models import AvailabilityTarget, SiteDay
from tms.availability.report.figures import (
    EVERYWHERE,
    AvailabilityTotals,
    DayRows,
    GroupBy,
    Key,
    ReportArea,
    allowed_s,
    day_rows,
)
from tms.availability.report.months import Month
from tms.fleet.models import Site, Terminal, TerminalKind
from tms.fleet.sites.names import Bilingual
from tms.lib.calendar.dates import DAY
from tms.lib.calendar.local_time import instant

TREND_MONTHS = 6
BARS = 90
MAX_ROWS = 500
"""The number of rows on a page at most; the CSV has all."""
MAX_INCIDENTS = 3


class AvailabilityRow(NamedTuple):
    """A site, terminal, kind, model or region."""

    key: Key
    code: str
    """The code in URLs and exports: that of a site, the UID of a terminal; otherwise the key as text."""
    name: Bilingual
    totals: AvailabilityTotals
    target: float

    @property
    def is_below(self) -> bool:
        return self.totals.is_below(self.target)

    @property
    def above_s(self) -> float:
        """Seconds lost beyond what the target allows."""
        return max(0.0, self.totals.lost_s - allowed_s(self.totals.counted_s, self.target))

    @property
    def main_loss(self) -> LossReason | None:
        lost = self.totals.lost
        return max(lost, key=lambda loss: lost[loss]) if lost else None


class BreachIncident(NamedTuple):
    pk: int
    opened_at: datetime


class Breach(NamedTuple):
    site: AvailabilityRow
    incidents: Sequence[BreachIncident]


class MonthTimes(NamedTuple):
    """Response times of a month; None without alerts."""

    month: Month
    times: ResponseTimes | None


@dataclass(frozen=True, slots=True)
class ReportReader:
    """Whose report it is: what their scopes cover together."""

    scope: Scope
    among: tuple[Scope, ...] = ()

    def rows[Rows: QuerySet[Model]](self, rows: Rows) -> Rows:
        for scope in (self.scope, *self.among):
            rows = within(rows, scope)
        return rows

    def days(self, since: date, until: date, area: ReportArea, by: GroupBy | None = None) -> DayRows:
        return day_rows(self.scope, since, until, among=self.among, area=area, by=by)


EVERYONE = ReportReader(EVERYTHING)


@dataclass(frozen=True, slots=True)
class AvailabilityReport:
    month: Month
    last_day: date
    """The last one that is rolled up; before the end of the month while it runs."""
    area: ReportArea
    by: GroupBy
    target: float
    total: AvailabilityTotals
    rows: Sequence[AvailabilityRow]
    """Worst first: what was lost beyond the target, then what was lost."""
    sites: Sequence[AvailabilityRow]
    months: Sequence[tuple[Month, AvailabilityTotals]]
    times: Sequence[MonthTimes]

    @property
    def is_running(self) -> bool:
        """The month is not over, or not completely rolled up: so nothing is met or missed yet."""
        return self.last_day < self.month.last

    @property
    def breaches(self) -> list[AvailabilityRow]:
        return [row for row in self.sites if row.is_below]

    @property
    def is_below(self) -> bool:
        return self.total.is_below(self.target)

    @property
    def sites_on_target(self) -> int:
        return len(self.counted_sites) - len(self.breaches)

    @property
    def counted_sites(self) -> list[AvailabilityRow]:
        return [row for row in self.sites if row.totals.counted_s]


def default_target() -> float:
    return float(settings.AVAILABILITY_TARGET)


def report(
    month: Month, reader: ReportReader, *, area: ReportArea = EVERYWHERE, by: GroupBy = GroupBy.SITE
) -> AvailabilityReport:
    """What the reader may see of a month. The number of queries is fixed."""
    trend = list(month.until(TREND_MONTHS))
    by_month = reader.days(trend[0].first, month.last, area).months()
    sites = rows_by(month, reader, area, GroupBy.SITE)
    last = reader.rows(SiteDay.objects.filter(day__gte=month.first, day__lte=month.last)).aggregate(last=Max("day"))
    return AvailabilityReport(
        month=month,
        last_day=last["last"] or month.first - DAY,
        area=area,
        by=by,
        target=_target_of(area),
        total=by_month.get(month, AvailabilityTotals()),
        rows=sites if by is GroupBy.SITE else rows_by(month, reader, area, by),
        sites=sites,
        months=[(each, by_month.get(each, AvailabilityTotals())) for each in trend],
        times=[MonthTimes(each, _times(each, reader, area)) for each in trend],
    )


def rows_by(month: Month, reader: ReportReader, area: ReportArea, by: GroupBy) -> list[AvailabilityRow]:
    totals = reader.days(month.first, month.last, area, by).totals(by)
    return sorted(_name_rows(by, totals), key=lambda row: (-row.above_s, -row.totals.lost_s, row.code))


def bars(
    shown: AvailabilityReport, rows: Collection[AvailabilityRow], reader: ReportReader
) -> dict[Key, dict[date, tuple[int, int]]]:
    """(counted, lost) in seconds of the 90 days until the last one, by key and day."""
    since = shown.last_day - (BARS - 1) * DAY
    days = reader.days(since, shown.last_day, shown.area, shown.by)
    return days.days(shown.by, [row.key for row in rows])


def breaches(shown: AvailabilityReport, reader: ReportReader, *, limit: int) -> list[Breach]:
    """The breaches, each with the first incidents of the month at its site."""
    rows = shown.breaches[:limit]
    since, until = _period(shown.month)
    incidents = reader.rows(Incident.objects.filter(opened_at__gte=since, opened_at__lt=until))
    of_site: dict[int, list[BreachIncident]] = {}
    sites = [int(row.key) for row in rows]
    found = incidents.filter(site__in=sites).order_by("opened_at").values_list("site", "pk", "opened_at")
    for site, pk, opened_at in found:
        of_site.setdefault(site, []).append(BreachIncident(pk, opened_at))
    return [Breach(row, of_site.get(int(row.key), [])[:MAX_INCIDENTS]) for row in rows]


def months_with_days(reader: ReportReader) -> list[Month]:
    """The months that have days, newest first."""
    known = reader.rows(SiteDay.objects.all()).aggregate(first=Min("day"), last=Max("day"))
    if known["first"] is None:
        return []
    first, month = Month.of(known["first"]), Month.of(known["last"])
    found = [month]
    while (month := month.shifted(-1)) >= first:
        found.append(month)
    return found


def _times(month: Month, reader: ReportReader, area: ReportArea) -> ResponseTimes | None:
    alerts = reader.rows(Alert.objects.opened(*_period(month)))
    if area.site:
        alerts = alerts.filter(terminal__site__code=area.site)
    elif area.region:
        alerts = alerts.filter(terminal__site__region=area.region)
    return next((line for line in times(alerts) if line.by is TimesBy.ALL), None)


def _period(month: Month) -> tuple[datetime, datetime]:
    """The month in the time zone of this installation: alerts and incidents of several zones are counted together."""
    zone = ZoneInfo(settings.TIME_ZONE)
    first, after = (datetime.combine(each.first, time.min) for each in (month, month.shifted(1)))
    return instant(first, zone), instant(after, zone)


def _target_of(area: ReportArea) -> float:
    """The target of a site if the area is one that has its own, otherwise that of this installation."""
    own = AvailabilityTarget.objects.filter(site__code=area.site).first() if area.site else None
    return float(own.percent) if own else default_target()


def targets(site_ids: Collection[int]) -> dict[int, float]:
    own = AvailabilityTarget.objects.filter(site__in=site_ids).values_list("site", "percent")
    return {site: float(percent) for site, percent in own}


def _name_rows(by: GroupBy, totals: Mapping[Key, AvailabilityTotals]) -> list[AvailabilityRow]:
    return NAMES[by](totals)


def _of_sites(totals: Mapping[Key, AvailabilityTotals]) -> list[AvailabilityRow]:
    sites = Site.objects.in_bulk([int(key) for key in totals])
    own, default = targets(sites), default_target()
    return [
        AvailabilityRow(key, site.code, Bilingual(site.name, site.name_ja), found, own.get(site.pk, default))
        for key, found in totals.items()
        if (site := sites.get(int(key)))
    ]


def _of_terminals(totals: Mapping[Key, AvailabilityTotals]) -> list[AvailabilityRow]:
    rows = Terminal.objects.filter(pk__in=list(totals)).values_list("pk", "uid", "site")
    known = {pk: (uid, site) for pk, uid, site in rows}
    own, default = targets({site for _, site in known.values()}), default_target()
    return [
        AvailabilityRow(key, known[key][0], Bilingual(known[key][0], ""), found, own.get(known[key][1], default))
        for key, found in totals.items()
        if key in known
    ]


def _of_texts(label: Callable[[str], str] = str) -> Callable[[Mapping[Key, AvailabilityTotals]], list[AvailabilityRow]]:
    def named(totals: Mapping[Key, AvailabilityTotals]) -> list[AvailabilityRow]:
        target = default_target()
        return [
            AvailabilityRow(key, str(key), Bilingual(label(str(key)) or "–", ""), found, target)
            for key, found in totals.items()
        ]

    return named


def _kind(value: str) -> str:
    return str(TerminalKind(value).label) if value in TerminalKind.values else value


NAMES: Mapping[GroupBy, Callable[[Mapping[Key, AvailabilityTotals]], list[AvailabilityRow]]] = {
    GroupBy.SITE: _of_sites,
    GroupBy.TERMINAL: _of_terminals,
    GroupBy.KIND: _of_texts(_kind),
    GroupBy.MODEL: _of_texts(),
    GroupBy.REGION: _of_texts(),
}
