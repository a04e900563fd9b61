"""Who is on call, from the database, and their destinations."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import transaction

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.notifications.models.destination import Destination, DestinationQuerySet
from tms.notifications.models.rotation import Cover, Member, Rotation
from tms.notifications.rotations.roster import CoverInterval, OnCallShift, Roster


def rosters(rotations: Collection[Rotation]) -> dict[int, Roster]:
    """The roster of each rotation, read in two queries. Disabled people have no shifts."""
    people: dict[int, list[int]] = {}
    covers: dict[int, list[CoverInterval]] = {}
    members = Member.objects.filter(rotation__in=rotations, person__is_active=True).order_by("position")
    for rotation_id, person_id in members.values_list("rotation", "person"):
        people.setdefault(rotation_id, []).append(person_id)
    found = Cover.objects.filter(rotation__in=rotations, person__is_active=True).order_by("pk")
    for rotation_id, person_id, since, until in found.values_list("rotation", "person", "since", "until"):
        covers.setdefault(rotation_id, []).append(CoverInterval(person_id, since, until))
    return {
        rotation.pk: Roster(
            ZoneInfo(rotation.time_zone),
            rotation.starts_on,
            rotation.handover_at,
            people.get(rotation.pk, ()),
            rotation.every_days,
            rotation.weekdays,
            covers.get(rotation.pk, ()),
        )
        for rotation in rotations
    }


def cover(rotation: Rotation, person: User, *, since: datetime, until: datetime, by: User) -> Cover:
    """Put `person` on call from `since` until `until`, instead of the regular shift."""
    with recorder.change(Cover(rotation=rotation, person=person, since=since, until=until, by=by)) as made:
        made.save()
    return made


@transaction.atomic
def delete_cover(rotation: Rotation, pk: int) -> bool:
    """Delete an override. Returns False if it does not exist any more."""
    for found in rotation.covers.filter(pk=pk).select_for_update():
        recorder.record("deleted", found)
        found.delete()
        return True
    return False


class OnCall(NamedTuple):
    """Who is on call in a rotation at one instant, and all destinations of that person."""

    shift: OnCallShift
    destinations: list[Destination]


def on_call(rotations: Collection[Rotation], *, at: datetime) -> dict[int, OnCall]:
    """Who is on call in each rotation."""
    if not rotations:
        return {}
    shifts = {pk: roster.on_call(at) for pk, roster in rosters(rotations).items()}
    own = _own_destinations(
        Destination.objects.filter(deleted_at=None),
        {shift.person for shift in shifts.values() if shift.person is not None},
    )
    return {pk: OnCall(shift, own.get(shift.person or 0, [])) for pk, shift in shifts.items()}


def destinations_of(people: Collection[int]) -> dict[int, list[Destination]]:
    """The active destinations of each person."""
    return _own_destinations(Destination.objects.enabled(), people)


def _own_destinations(rows: DestinationQuerySet, people: Collection[int]) -> dict[int, list[Destination]]:
    own: dict[int, list[Destination]] = {}
    for destination in rows.filter(person__in=people).order_by("pk"):
        assert destination.person_id is not None
        own.setdefault(destination.person_id, []).append(destination)
    return own
