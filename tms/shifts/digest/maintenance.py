"""Maintenance of a shift, past and upcoming."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Prefetch, QuerySet

from tms.accounts.display_names import Name, name_of
from tms.alerts.maintenance.calendar import WindowPeriods, overlapping_windows
from tms.alerts.models import Window
from tms.fleet.models import Group, Site, Terminal

type RowFilter = Callable[[QuerySet[Any]], QuerySet[Any]]
"""Keeps the rows that the readers of a digest may see."""

MAX_NAMED = 3
MAX_OCCURRENCES = 50


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
    """Occurrences within or overlapping the period, in order, as they took place. Five queries."""
    covered = (("sites", Site.objects.all()), ("groups", Group.objects.all()), ("terminals", Terminal.objects.all()))
    named = [Prefetch(name, seen(of_kind)) for name, of_kind in covered]
    windows = seen(Window.objects.select_related("created_by").prefetch_related(*named))
    found = [line for one in overlapping_windows(windows, since=since, until=until) for line in _lines(one)]
    return sorted(found, key=lambda line: (line.since, line.until, line.window))[:MAX_OCCURRENCES]


def _lines(found: WindowPeriods) -> Iterator[MaintenanceLine]:
    window = found.window
    by = name_of(window.created_by) if window.created_by else None
    named = [site.local_name for site in window.sites.all()] + [group.name for group in window.groups.all()]
    covers = tuple(named[:MAX_NAMED]) + (("…",) if len(named) > MAX_NAMED else ())
    terminals = len(window.terminals.all())
    for begins, ends in found.periods:
        yield MaintenanceLine(window.pk, begins, ends, window.note, by, covers, terminals)
