"""The calendar of maintenance windows: a picture, and the same as a list."""

from datetime import datetime
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tms.accounts.access import visible
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.alerts.maintenance.calendar import WindowPeriods, planned_windows
from tms.alerts.maintenance.coverage import in_scope
from tms.alerts.maintenance.history import MaintenancePeriod
from tms.alerts.models.maintenance import Window
from tms.boards.pages import MaintenancePage
from tms.fleet.models import Terminal
from tms.lib.calendar.dates import ShownDays, shown_days
from tms.lib.calendar.local_time import local_time
from tms.lib.calendar.repetition import repetition_text
from tms.lib.calendar.timeline import Timeline, TimelineBar, TimelineLane

LENGTHS = (14, 28)


class CalendarEntry(NamedTuple):
    window: Window
    period: MaintenancePeriod
    is_simultaneous: bool
    """Another window covers a terminal of it at the same time."""


@require_safe
@never_cache
@sign_in_required
def maintenance_calendar(request: AuthenticatedRequest) -> HttpResponse:
    at, zone = timezone.now(), ZoneInfo(timezone.get_current_timezone_name())
    number = next((one for one in LENGTHS if str(one) == request.GET.get("days")), LENGTHS[0])
    days = shown_days(request.GET.get("from", ""), number=number, today=local_time(at, zone).date())
    empty = Timeline((), days.first, days.number, zone, at)
    seen = visible(Window.objects.all(), to=request.user)
    planned = planned_windows(seen, since=empty.since, until=empty.until)
    context = {
        "nav_item": MaintenancePage.nav_item,
        "days": days,
        "lengths": LENGTHS,
        "timeline": _timeline(planned, days, empty),
        "occurrences": _occurrences(planned),
    }
    return render(request, "boards/maintenance-calendar.html", context)


def _timeline(planned: list[WindowPeriods], days: ShownDays, empty: Timeline) -> Timeline:
    lanes = [
        TimelineLane(one.window.note, _detail(one.window), _bars(one, empty), one.window.get_absolute_url())
        for one in planned
    ]
    return Timeline(lanes, days.first, days.number, empty.zone, empty.at)


def _bars(planned: WindowPeriods, timeline: Timeline) -> list[TimelineBar]:
    return [
        TimelineBar(
            since,
            until,
            _times(since, until, timeline),
            _kind(until, timeline),
            address=planned.window.get_absolute_url(),
        )
        for since, until in planned.periods
    ]


def _kind(until: datetime, timeline: Timeline) -> str:
    return "past" if until <= timeline.at else "window"


def _times(since: datetime, until: datetime, timeline: Timeline) -> str:
    begin, end = (local_time(one, timeline.zone) for one in (since, until))
    return f"{begin:%H:%M}–{end:%H:%M}"


def _detail(window: Window) -> str:
    return repetition_text(window.rrule) if window.rrule else ""


def _occurrences(planned: list[WindowPeriods]) -> list[CalendarEntry]:
    """Occurrences in order; they are the text alternative of the picture."""
    found = sorted(
        ((period, one.window) for one in planned for period in one.periods), key=lambda each: (each[0], each[1].pk)
    )
    at_once = _at_once(found)
    return [CalendarEntry(window, period, number in at_once) for number, (period, window) in enumerate(found)]


def _at_once(found: list[tuple[MaintenancePeriod, Window]]) -> set[int]:
    """The positions of those during which another window covers a terminal of theirs.

    `found` is in the order of the begins.
    """
    share = cache(_share_terminals)
    at_once: set[int] = set()
    active: list[int] = []
    for number, (period, window) in enumerate(found):
        active = [one for one in active if found[one][0].until > period.since]
        others = [one for one in active if share(found[one][1], window)]
        at_once.update(others, [number] if others else ())
        active.append(number)
    return at_once


def _share_terminals(one: Window, other: Window) -> bool:
    return one.pk != other.pk and Terminal.objects.filter(in_scope([one]), in_scope([other])).exists()
