"""Occurrences of maintenance windows within a period, past and planned."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import structlog
from django.db.models import Prefetch, Q, QuerySet

from tms.alerts.maintenance.history import MaintenancePeriod, actual_periods
from tms.alerts.models.maintenance import PastOccurrence, Window

log = structlog.get_logger(__name__)
MOST_READ, MOST_WINDOWS = 500, 40


class WindowPeriods(NamedTuple):
    window: Window
    periods: list[MaintenancePeriod]


def planned_windows(windows: QuerySet[Window], *, since: datetime, until: datetime) -> list[WindowPeriods]:
    """Of `windows`, those with an occurrence that overlaps the period, in the order of the first of these."""
    rows = windows.filter(Q(ended_at=None) | Q(ended_at__gt=since), created_at__lt=until)
    recorded = PastOccurrence.objects.filter(until__gt=since, since__lt=until)
    rows = rows.prefetch_related(Prefetch("past_occurrences", recorded, to_attr="recorded"))
    found = [
        WindowPeriods(window, sorted(_periods(window, since, until)))
        for window in rows.order_by("occurs_at")[:MOST_READ]
    ]
    return sorted((one for one in found if one.periods), key=lambda one: (one.periods[0], one.window.pk))[:MOST_WINDOWS]


def _periods(window: Window, since: datetime, until: datetime) -> Iterator[MaintenancePeriod]:
    try:
        yield from actual_periods(window, since, until)
        if window.ended_at is None:
            yield from _coming(window, since, until)
    except Exception:  # an unreadable window must not hide the others
        log.exception("window_unreadable", window=window.pk)


def _coming(window: Window, since: datetime, until: datetime) -> Iterator[MaintenancePeriod]:
    """After the current or next occurrence."""
    for occurrence in window.recurrence.occurrences(max(since, window.occurs_until)):
        if occurrence.since >= until:
            return
        if occurrence.since > window.occurs_at:
            yield MaintenancePeriod(*occurrence)
