"""Maintenance of a shift, past and upcoming."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Prefetch, Q, QuerySet

from tms.accounts.display_names import Name, name_of
from tms.alerts.models import Window
from tms.fleet.models import Group, Site, Terminal

type RowFilter = Callable[[QuerySet[Any]], QuerySet[Any]]
"""Keeps the rows that the readers of a digest may see."""

MAX_NAMED = 3
MAX_WINDOWS, MAX_OCCURRENCES = 500, 50


class MaintenanceLine(NamedTuple):
    window: int
    since: datetime
    until: datetime
    note: str
    by: Name | None
    covers: tuple[str, ...]
    terminals: int
    """Named individually, in addition to those of sites and groups."""


def maintenance_lines(since: datetime, until: datetime, seen: RowFilter) -> list[MaintenanceLine]:
    """Occurrences within or overlapping the period, in order. Three queries."""
    rows = seen(Window.objects.filter(Q(ended_at=None) | Q(ended_at__gt=since), created_at__lt=until))
    covered = (("sites", Site.objects.all()), ("groups", Group.objects.all()), ("terminals", Terminal.objects.all()))
    named = [Prefetch(name, seen(of_kind)) for name, of_kind in covered]
    windows = rows.select_related("created_by").prefetch_related(*named)[:MAX_WINDOWS]
    found = [line for window in windows for line in _lines(window, since, until)]
    return sorted(found, key=lambda line: (line.since, line.until, line.window))[:MAX_OCCURRENCES]


def _lines(window: Window, since: datetime, until: datetime) -> Iterator[MaintenanceLine]:
    by = name_of(window.created_by) if window.created_by else None
    named = [site.local_name for site in window.sites.all()] + [group.name for group in window.groups.all()]
    covers = tuple(named[:MAX_NAMED]) + (("…",) if len(named) > MAX_NAMED else ())
    terminals = len(window.terminals.all())
    for begins, ends in _occurrences(window, since, until):
        if begins < until and ends > max(since, begins):
            yield MaintenanceLine(window.pk, begins, ends, window.note, by, covers, terminals)


def _occurrences(window: Window, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Planned occurrences; the end of the current or last one may have been moved."""
    ends = {window.occurs_at: window.occurs_until}
    for occurrence in window.recurrence.occurrences(since):
        if occurrence.since >= until:
            break
        ends.setdefault(occurrence.since, occurrence.until)
    ended_at = window.ended_at
    return ((begins, min(end, ended_at) if ended_at else end) for begins, end in ends.items())
