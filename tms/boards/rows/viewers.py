"""Who else is at an alert or incident, as a row tells it."""

from collections.abc import Iterable
from typing import NamedTuple

from tms.accounts.display_names import Name, name_of
from tms.accounts.models import User
from tms.feed.hub import hub


class Viewer(NamedTuple):
    person: int
    name: Name
    is_typing: bool


def viewers(places: Iterable[str]) -> dict[str, tuple[Viewer, ...]]:
    """By element, in one query while anybody is at one of them: who types first."""
    looks = [look for place in places for look in hub.onlookers.of(place)]
    if not looks:
        return {}
    people = User.objects.in_bulk({look.person for look in looks})
    found: dict[str, list[Viewer]] = {}
    for look in sorted(looks, key=lambda look: (not look.is_typing, look.person)):
        if look.person in people:
            found.setdefault(look.place, []).append(Viewer(look.person, name_of(people[look.person]), look.is_typing))
    return {place: tuple(at) for place, at in found.items()}
