"""Occurrences of maintenance windows within a period, past and planned."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import structlog
from django.db.models import QuerySet

from tms.alerts.maintenance.history import MaintenancePeriod, actual_periods, with_past
from tms.alerts.models.maintenance import Window

log = structlog.get_logger(__name__)
MAX_READ, MAX_WINDOWS = 500, 40


class WindowPeriods(NamedTuple):
    window: Window
    periods: list[MaintenancePeriod]


def planned_windows(windows: QuerySet[Window], *, since: datetime, until: datetime) -> list[WindowPeriods]:
    """The first of `overlapping_windows`, in the order of their first occurrence."""
    found = overlapping_windows(windows, since=since, until=until)
    return sorted(found, key=lambda one: (one.periods[0], one.window.pk))[:MAX_WINDOWS]


def overlapping_windows(windows: QuerySet[Window], *, since: datetime, until: datetime) -> list[WindowPeriods]:
    """The windows that have an occurrence which overlaps the period."""
    rows = with_past(windows.order_by("occurs_at"), since, until, most=MAX_READ)
    found = (WindowPeriods(window, sorted(_periods(window, since, until))) for window in rows)
    return [one for one in found if one.periods]


def _periods(window: Window, since: datetime, until: datetime) -> Iterator[MaintenancePeriod]:
    try:
        yield from actual_periods(window, since, until)
        if window.ended_at is None:
            yield from _coming(window, since, until)
    except Exception:  # an unreadable window must not hide the others
        log.exception("window_unreadable", window=window.pk)


def _coming(window: Window, since: datetime, until: datetime) -> Iterator[MaintenancePeriod]:
    """The occurrences after the current or next one."""
    for occurrence in window.recurrence.occurrences(max(since, window.occurs_until)):
        if occurrence.since >= until:
            return
        if occurrence.since > window.occurs_at:
            yield MaintenancePeriod(*occurrence)
