"""When maintenance windows took place, and which terminals they covered: past and current occurrences."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from django.db.models import Prefetch, Q, QuerySet, prefetch_related_objects

from tms.alerts.maintenance.coverage import pairs
from tms.alerts.models.maintenance import PastOccurrence, Window
from tms.lib.calendar.dates import DAY

log = structlog.get_logger(__name__)

INSTANT = timedelta(microseconds=1)


class MaintenancePeriod(NamedTuple):
    since: datetime
    until: datetime


def covering(site_of: Mapping[int, int], *, since: datetime, until: datetime) -> dict[int, list[MaintenancePeriod]]:
    """Maintenance of these terminals (with their sites) that overlaps the time, with the targets of now."""
    periods = {pk: found for pk, found in _periods(since, until) if found}
    by_terminal: defaultdict[int, set[MaintenancePeriod]] = defaultdict(set)
    for window_id, terminal_id in pairs(periods, site_of) if periods and site_of else ():
        by_terminal[terminal_id].update(periods[window_id])
    return {terminal_id: sorted(found) for terminal_id, found in by_terminal.items()}


def active(at: datetime) -> list[Window]:
    """The windows that were active at `at`, with the occurrence of then in their columns, and their authors."""
    periods = {pk: found[0] for pk, found in _periods(at, at + INSTANT) if found}
    windows = list(Window.objects.filter(pk__in=periods).select_related("created_by").order_by("pk"))
    for window in windows:
        window.occurs_at, window.occurs_until = periods[window.pk]
    return windows


def _periods(since: datetime, until: datetime) -> Iterator[tuple[int, list[MaintenancePeriod]]]:
    for window in with_past(Window.objects.all(), since, until):
        try:
            yield window.pk, list(actual_periods(window, since, until))
        except Exception:  # an unreadable window must not hide the others
            log.exception("window_unreadable", window=window.pk)


def with_past(windows: QuerySet[Window], since: datetime, until: datetime, *, most: int | None = None) -> list[Window]:
    """The windows that may have an occurrence within the period (`most` of them at most), with the past
    occurrences that `actual_periods` needs: also those that ended before it, but were planned to end within it.
    """
    found = list(windows.filter(Q(ended_at=None) | Q(ended_at__gt=since), created_at__lt=until)[:most])
    if found:
        # An occurrence lasts a little longer than planned if clocks are put back.
        reach = timedelta(seconds=max(window.length_s for window in found)) + DAY
        past = PastOccurrence.objects.filter(Q(until__gt=since) | Q(since__gt=since - reach), since__lt=until)
        prefetch_related_objects(found, Prefetch("past_occurrences", past))
    return found


def actual_periods(window: Window, since: datetime, until: datetime) -> Iterator[MaintenancePeriod]:
    """Occurrences that are not recorded took place as planned: a clock that was down has skipped them."""
    ends = {window.occurs_at: window.occurs_until}
    ends |= {each.since: each.until for each in window.past_occurrences.all()}
    for planned in window.recurrence.occurrences(max(since, window.created_at)):
        if planned.since >= min(until, window.occurs_at):
            break
        ends.setdefault(planned.since, planned.until)
    last = window.ended_at
    for begins, planned_end in ends.items():
        end = min(planned_end, last) if last else planned_end
        # If the window was cancelled before this occurrence began, `end` is before `begins`.
        if begins < min(until, end) and end > since:
            yield MaintenancePeriod(begins, end)
