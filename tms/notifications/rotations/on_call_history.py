"""The on-call shifts of a period, for replays."""

from collections.abc import Iterator
from datetime import datetime

from tms.accounts.access import within
from tms.accounts.display_names import Name, name_of
from tms.accounts.models import User
from tms.accounts.scope import Scope
from tms.notifications.models.rotation import Rotation
from tms.notifications.rotations.on_call import rosters
from tms.notifications.rotations.roster import OnCallShift
from tms.shifts.on_call import OnCallPeriod

MAX_ROTATIONS = 50
"""The number of rotations that are read."""


def on_call_between(since: datetime, until: datetime, scope: Scope) -> Iterator[OnCallPeriod]:
    """Computed from the members and covers that the rotations have now."""
    rotations = list(within(Rotation.objects.not_deleted(), scope).order_by("name", "pk")[:MAX_ROTATIONS])
    shifts = {pk: list(roster.shifts(since, until)) for pk, roster in rosters(rotations).items()}
    names = _names(shift for found in shifts.values() for shift in found)
    for rotation in rotations:
        for shift in shifts[rotation.pk]:
            if shift.person in names:
                yield OnCallPeriod(rotation.name, names[shift.person], shift.since, shift.until)


def _names(shifts: Iterator[OnCallShift]) -> dict[int | None, Name]:
    people = User.objects.in_bulk({shift.person for shift in shifts if shift.person is not None})
    return {pk: name_of(person) for pk, person in people.items()}
