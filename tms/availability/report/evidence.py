"""What a month's figures are computed from, as rows: people can compute them again.

| record | is | from `since` to `until` |
|---|---|---|
| `open` | a site | its opening hours |
| `service` | a terminal | in service |
| `maintenance` | a terminal | covered by a maintenance window, or not in service for a part of the day |
| `outage` | a terminal | without a link, with the reason |

All within one local day of the site, in seconds since the epoch. Rows of one record, site and
terminal do not overlap; a terminal that moved has rows of both sites.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from django.db.models import QuerySet

from tms.availability.models import SiteDay, TerminalDay
from tms.availability.report.figures import ReportArea
from tms.availability.report.months import Month
from tms.availability.report.report import ReportReader
from tms.availability.rollup.inputs import outages_of, pieces_by_terminal, recorded_facts
from tms.availability.rollup.tally import disjoint
from tms.fleet.models import Terminal

HEAD = ("record", "site", "terminal", "day", "since", "until", "reason")
SITE_DAYS = 50
"""Days of sites that are read at a time."""

type Line = tuple[str, str, str, str, int, int, str]


class EvidenceRows:
    """The rows of a month that the reader may see, some days of sites at a time."""

    def __init__(self, month: Month, reader: ReportReader, area: ReportArea) -> None:
        days = reader.rows(SiteDay.objects.filter(day__gte=month.first, day__lte=month.last))
        if area.site:
            days = days.filter(site__code=area.site)
        elif area.region:
            days = days.filter(site__region=area.region)
        self._reader = reader
        self._pks = list(days.order_by("day", "site").values_list("pk", flat=True))

    def __call__(self) -> list[Line]:
        """The next rows; none at the end."""
        while self._pks:
            pks, self._pks = self._pks[:SITE_DAYS], self._pks[SITE_DAYS:]
            if lines := list(_lines(pks, self._reader)):
                return lines
        return []


def _lines(pks: Sequence[int], reader: ReportReader) -> Iterator[Line]:
    days = SiteDay.objects.filter(pk__in=pks).select_related("site").order_by("day", "site")
    seen = reader.rows(TerminalDay.objects.filter(site_day__in=pks))
    uids = dict(Terminal.objects.filter(pk__in=seen.values("terminal")).values_list("pk", "uid"))
    for day in days:
        yield from _of_day(day, seen, uids)


def _of_day(day: SiteDay, seen: QuerySet[TerminalDay], uids: dict[int, str]) -> Iterator[Line]:
    code, when = day.site.code, _iso(day.day)
    facts = recorded_facts(day)
    shown = set(seen.filter(site_day=day).values_list("terminal", flat=True))
    for since, until in facts.hours:
        yield ("open", code, "", when, since, until, "")
    pieces = pieces_by_terminal(facts, outages_of(facts))
    for terminal in facts.terminals:
        if terminal.pk not in shown:
            continue
        uid = uids[terminal.pk]
        yield ("service", code, uid, when, *terminal.service, "")
        for since, until in terminal.excluded:
            yield ("maintenance", code, uid, when, since, until, "")
        for piece in disjoint(pieces.get(terminal.pk, ()), within=facts.bounds):
            yield ("outage", code, uid, when, piece.since, piece.until, piece.loss.value)


def _iso(day: date) -> str:
    return day.isoformat()
