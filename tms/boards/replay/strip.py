"""The strip below the slider of a replay: how much happened when, incidents, handovers, and what was not recorded."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from math import sqrt
from typing import NamedTuple

from django.utils.translation import gettext

from tms.accounts.access import within
from tms.alerts.models import Incident
from tms.boards.pages.render_context import RenderContext
from tms.boards.replay.window import ReplayWindow
from tms.replay.density import density
from tms.shifts.on_call import on_call_between

WIDTH, HEIGHT = 1000.0, 44.0
BASE, MIN_HEIGHT, GAP = 42.0, 2.0, 0.2
"""Bars end here; the lowest has this height; between bars is this share of their width."""
MAX_INCIDENTS = 50
MAX_HANDOVERS = 40
MAX_EVENTS = 20
WITH_HANDOVERS = timedelta(days=8)


class Stretch(NamedTuple):
    x: float
    width: float


class IncidentMark(NamedTuple):
    x: float
    severity: str


class StripEvent(NamedTuple):
    """An incident or a handover, as text."""

    at: datetime
    text: str


class Strip(NamedTuple):
    """The strip in a box of WIDTH by HEIGHT that is stretched to the page."""

    changes: Sequence[int]
    """The number of alerts and incidents that opened and outages that began, for each bar."""
    critical: Sequence[int]
    path: str
    critical_path: str
    incidents: Sequence[IncidentMark]
    handovers: Sequence[float]
    unrecorded: Sequence[Stretch]
    ahead: Stretch
    """What is later than the instant of the replay."""
    events: Sequence[StripEvent]


def strip(window: ReplayWindow, at: datetime, *, earliest: datetime, present: RenderContext) -> Strip:
    scope = present.scope
    buckets = density(window.since, window.until, buckets=window.buckets, scope=scope)
    changes = [one.alerts + one.incidents + one.outages for one in buckets]
    critical = [one.critical for one in buckets]
    highest = max(changes, default=0)
    incidents, handovers = _incidents(window, present), _handovers(window, present)
    here = WIDTH * window.share(at)
    return Strip(
        changes=changes,
        critical=critical,
        path="".join(_bars(changes, highest)),
        critical_path="".join(_bars(critical, highest)),
        incidents=[IncidentMark(WIDTH * window.share(event.at), severity) for event, severity in incidents],
        handovers=[WIDTH * window.share(event.at) for event in handovers],
        unrecorded=list(_unrecorded_stretches(window, earliest)),
        ahead=Stretch(here, WIDTH - here),
        events=sorted([*(event for event, _ in incidents), *handovers], key=lambda event: event.at)[-MAX_EVENTS:],
    )


def _bars(numbers: Sequence[int], highest: int) -> Iterator[str]:
    """Bars as high as the square root of the number: a storm must not hide an ordinary night."""
    width = WIDTH / len(numbers)
    for index, number in enumerate(numbers):
        if number:
            height = MIN_HEIGHT + (BASE - MIN_HEIGHT) * sqrt(number / highest)
            left, bar = index * width + width * GAP / 2, width * (1 - GAP)
            yield f"M{left:.1f} {BASE:.0f}v-{height:.1f}h{bar:.1f}v{height:.1f}z"


def _unrecorded_stretches(window: ReplayWindow, earliest: datetime) -> Iterator[Stretch]:
    """The stretches before the first record, and after the present."""
    first, last = window.share(earliest), window.share(window.limit)
    if first > 0:
        yield Stretch(0, WIDTH * first)
    if last < 1:
        yield Stretch(WIDTH * last, WIDTH * (1 - last))


def _incidents(window: ReplayWindow, present: RenderContext) -> list[tuple[StripEvent, str]]:
    """The newest, with their severity (index: incident_opened)."""
    opened = Incident.objects.filter(opened_at__gte=window.since, opened_at__lt=window.until)
    pks = within(opened, present.scope).order_by("-opened_at", "-pk").values_list("pk", flat=True)[:MAX_INCIDENTS]
    return [(StripEvent(row.opened_at, row.title), row.severity) for row in present.incidents(list(pks))]


def _handovers(window: ReplayWindow, present: RenderContext) -> list[StripEvent]:
    """The handovers; none in ranges in which they would fill the strip."""
    if window.until - window.since > WITH_HANDOVERS:
        return []
    periods = on_call_between(window.since, window.until, present.scope)
    begun = [period for period in periods if period.since > window.since][:MAX_HANDOVERS]
    return [
        StripEvent(
            period.since,
            gettext("Handover to %(person)s (%(rotation)s)")
            % {"person": period.person.text, "rotation": period.rotation},
        )
        for period in begun
    ]
