"""The picture of rotations: who is on call when, with overrides, gaps and overlapping overrides."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from tms.accounts.display_names import name_of
from tms.accounts.models import User
from tms.lib.calendar.timeline import Timeline, TimelineBar, TimelineLane
from tms.notifications.models.rotation import Rotation
from tms.notifications.rotations.on_call import rosters
from tms.notifications.rotations.roster import CoverInterval, OnCallShift, Roster

DAYS = 14
MAX_ROTATIONS = 12
"""Rotations in the picture."""


class Trouble(NamedTuple):
    """Nobody is on call, or several overrides apply at once."""

    rotation: str
    since: datetime
    until: datetime


class ShiftCalendar(NamedTuple):
    timeline: Timeline
    gaps: list[Trouble]
    overlaps: list[Trouble]


def shift_calendar(
    rotations: Sequence[Rotation], *, first: date, zone: ZoneInfo, at: datetime, me: User
) -> ShiftCalendar:
    """The calendar of rotations that the person sees; times in `zone`."""
    shown = rotations[:MAX_ROTATIONS]
    empty = Timeline((), first, DAYS, zone, at)
    known = rosters(shown)
    shifts = {pk: list(_within(roster, empty)) for pk, roster in known.items()}
    overlaps = {pk: list(overlapping(roster.covers)) for pk, roster in known.items()}
    names = _names(shift.person for found in shifts.values() for shift in found)
    lanes = [
        TimelineLane(
            one.name, _detail(one), _bars(shifts[one.pk], overlaps[one.pk], names, me.pk), one.get_absolute_url()
        )
        for one in shown
    ]
    timeline = Timeline(lanes, first, DAYS, zone, at)
    gaps = [Trouble(one.name, s.since, s.until) for one in shown for s in shifts[one.pk] if s.person is None]
    at_once = [
        Trouble(one.name, *times)
        for one in shown
        for times in overlaps[one.pk]
        if times[0] < empty.until and times[1] > empty.since
    ]
    return ShiftCalendar(timeline, gaps, at_once)


def overlapping(covers: Collection[CoverInterval]) -> Iterator[tuple[datetime, datetime]]:
    """When more than one override applies, in order."""
    edges = sorted({edge for cover in covers for edge in (cover.since, cover.until)})
    for since, until in pairwise(edges):
        if sum(cover.since <= since and cover.until >= until for cover in covers) > 1:
            yield since, until


def _within(roster: Roster, period: Timeline) -> Iterator[OnCallShift]:
    """The shifts of the period, cut at its ends."""
    for shift in roster.shifts(period.since, period.until):
        yield shift._replace(since=max(shift.since, period.since), until=min(shift.until, period.until))


def _bars(
    shifts: Sequence[OnCallShift],
    overlaps: Sequence[tuple[datetime, datetime]],
    names: Mapping[int, str],
    me: int,
) -> list[TimelineBar]:
    bars = [_bar(shift, names, me) for shift in shifts]
    several = gettext("Several overrides; the one added last applies")
    return bars + [TimelineBar(since, until, "", "overlap", several, is_thin=True) for since, until in overlaps]


def _bar(shift: OnCallShift, names: Mapping[int, str], me: int) -> TimelineBar:
    if shift.person is None:
        return TimelineBar(shift.since, shift.until, gettext("Nobody"), "gap", gettext("Nobody is on call"))
    name = names.get(shift.person, "")
    if shift.is_cover:
        return TimelineBar(shift.since, shift.until, name, "override", gettext("%(name)s, override") % {"name": name})
    return TimelineBar(shift.since, shift.until, name, "own" if shift.person == me else "shift", name)


def _names(people: Iterator[int | None]) -> dict[int, str]:
    found = User.objects.in_bulk({person for person in people if person is not None})
    return {pk: name_of(person).text for pk, person in found.items()}


def _detail(rotation: Rotation) -> str:
    values = {"time": f"{rotation.handover_at:%H:%M}", "zone": rotation.time_zone}
    return gettext("handover %(time)s %(zone)s") % values
