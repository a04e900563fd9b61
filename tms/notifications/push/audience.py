"""Which browsers are notified of what: as their people chose, and only of what these see at that moment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from tms.accounts.access import grant_scopes, rights_of_people
from tms.accounts.models import User
from tms.accounts.scope import NOTHING, Scope
from tms.notifications.models.destination import Destination
from tms.notifications.models.device import DevicePreferences
from tms.notifications.models.rotation import Rotation
from tms.notifications.rotations.on_call import rosters
from tms.notifications.subjects import Concern


class NotificationChoice(NamedTuple):
    """What one person may see now, and chose."""

    scope: Scope
    severities: frozenset[str]
    area: Scope | None
    """The part of the fleet that the person chose. None: everything that they see."""
    is_quiet: bool

    def wants(self, concern: Concern) -> bool:
        """Judges the part that the person sees and chose, by the severity of this part."""
        part = concern.within(self.scope)
        if self.area is not None:
            part = part.within(self.area)
        return not self.is_quiet and bool(part.alerts) and part.severity in self.severities


class Audience:
    """The browsers among some destinations. Read with a few queries for all of them."""

    def __init__(self, destinations: Iterable[Destination], *, at: datetime) -> None:
        people = {one.person_id for one in destinations if one.is_browser and one.person_id is not None}
        self._choices = _choices(people, at) if people else {}

    @property
    def is_empty(self) -> bool:
        return not self._choices

    def scope(self, destination: Destination) -> Scope:
        """What its messages may be about: its owner; for a browser, what its person sees now."""
        if not destination.is_browser:
            return destination.owner
        choice = self._choices.get(destination.person_id or 0)
        return choice.scope if choice else NOTHING

    def includes(self, destination: Destination, concern: Concern | None, *, as_chosen: bool) -> bool:
        """`as_chosen`: also what the person chose decides, and not a policy alone. `concern`: None for anything."""
        if concern is None:
            return not destination.is_browser
        if not as_chosen:
            return concern.touches(self.scope(destination))
        choice = self._choices.get(destination.person_id or 0)
        return choice is not None and choice.wants(concern)


def _choices(people: Collection[int], at: datetime) -> Mapping[int, NotificationChoice]:
    stored = {row.person_id: row for row in DevicePreferences.objects.filter(person__in=people)}
    chosen = {pk: stored.get(pk) or DevicePreferences(person_id=pk) for pk in people}
    rights = rights_of_people(_people(people))
    on_call = _on_call(at) if any(row.is_only_on_call for row in chosen.values()) else frozenset()
    return {
        pk: NotificationChoice(
            rights[pk].visible if pk in rights else NOTHING,
            frozenset(row.severities),
            area_of(row.area),
            row.is_only_on_call and pk not in on_call,
        )
        for pk, row in chosen.items()
    }


def area_of(key: str) -> Scope | None:
    """Nothing if what was chosen does not exist any more."""
    if not key:
        return None
    found = grant_scopes.parse(key)
    return NOTHING if found is None else found.value


def _people(pks: Collection[int]) -> list[User]:
    return list(User.objects.filter(pk__in=pks))


def _on_call(at: datetime) -> frozenset[int]:
    """Everybody who is on call now, in any rotation."""
    found = rosters(list(Rotation.objects.not_deleted())).values()
    return frozenset(person for roster in found if (person := roster.on_call(at).person) is not None)
