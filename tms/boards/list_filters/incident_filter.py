"""The filter of the list of incidents, and its choices."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Self
from urllib.parse import parse_qsl, urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from tms.alerts.models import Factor, Incident, IncidentState
from tms.alerts.search import NUMBER, incidents_like
from tms.boards.list_filters.filters import MAX_SEARCH_CHARACTERS, MIN_SEARCHED, text
from tms.lib.severity import Severity

OPEN, PAST = "open", "past"
MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
LISTED_MONTHS = 13


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Empty fields filter nothing; an unknown value counts as empty."""

    q: str = ""
    state: str = ""
    """The state: `open` or `past`."""
    severity: tuple[str, ...] = ()
    wide: bool = False
    """Whether only incidents of more than one site match."""
    factor: str = ""
    site: str = ""
    """The code of the site."""
    who: str = ""
    """Username of the person who acknowledged it."""
    month: str = ""
    """The month in which it opened, as `2026-11`, in the time zone of the reader."""

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        q = text(query, "q", MAX_SEARCH_CHARACTERS)
        state, factor, month = (query.get(name, "") for name in ("state", "factor", "month"))
        return cls(
            q=q if len(q) >= MIN_SEARCHED or NUMBER.fullmatch(q) else "",
            state=state if state in (OPEN, PAST) else "",
            severity=tuple(sorted({name for name in query.getlist("severity") if name in Severity.values})),
            wide=query.get("wide") == "1",
            factor=factor if factor in Factor.values else "",
            site=text(query, "site", 8),
            who=text(query, "who", 150),
            month=month if MONTH.fullmatch(month) else "",
        )

    def apply[Rows: QuerySet[Incident]](self, rows: Rows, *, zone: tzinfo) -> Rows:
        rows = rows.filter(self.in_this_tab)
        if self.severity:
            rows = rows.filter(severity__in=self.severity)
        if self.wide:
            rows = rows.filter(site=None)
        if self.factor:
            rows = rows.filter(factor=self.factor)
        if self.site:
            rows = rows.filter(site__code__iexact=self.site)
        if self.month:
            since, until = month_of(self.month, zone)
            rows = rows.filter(opened_at__gte=since, opened_at__lt=until)
        return rows.filter(incidents_like(self.q)) if self.q else rows

    @property
    def query(self) -> str:
        """The filter as a query string; equal filters have equal strings."""
        chosen = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return urlencode([(name, 1 if value is True else value) for name, value in chosen if value], doseq=True)

    @property
    def marks(self) -> list[tuple[str, str]]:
        """The filter as hidden fields of a form."""
        return parse_qsl(self.query)

    @property
    def is_empty(self) -> bool:
        return self == type(self)()

    @property
    def in_this_tab(self) -> Q:
        """The incidents of the tab, apart from the rest of the filter."""
        found = Q(acknowledged_by__username=self.who) if self.who else Q()
        if self.state:
            resolved = Q(state=IncidentState.RESOLVED)
            found &= resolved if self.state == PAST else ~resolved
        return found

    def in_tab(self, *, state: str = "", who: str = "") -> Self:
        """The same filter in another tab."""
        return replace(self, state=state, who=who)


def month_of(month: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """Its first instant, and that of the next month."""
    year, number = map(int, month.split("-"))
    return _midnight(date(year, number, 1), zone), _midnight(date(year + number // 12, number % 12 + 1, 1), zone)


def months(at: datetime, zone: tzinfo) -> list[str]:
    """The current month and those before it, newest first."""
    today = timezone.localdate(at, zone)
    newest = today.year * 12 + today.month - 1
    return [f"{number // 12}-{number % 12 + 1:02}" for number in range(newest, newest - LISTED_MONTHS, -1)]


def days(instants: Mapping[int, datetime], zone: tzinfo) -> dict[date, list[int]]:
    """Keys by the day of their instants, in the same order."""
    found: dict[date, list[int]] = {}
    for key, instant in instants.items():
        found.setdefault(timezone.localdate(instant, zone), []).append(key)
    return found


def day_of(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), zone)
