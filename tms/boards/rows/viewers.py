"""Viewers of alerts and incidents, as rows show them."""

from collections.abc import Iterable
from typing import NamedTuple

from tms.accounts.display_names import Name, name_of
from tms.accounts.models import User
from tms.feed.hub import hub


class Viewer(NamedTuple):
    person: int
    name: Name
    is_typing: bool


def viewers(element_ids: Iterable[str]) -> dict[str, tuple[Viewer, ...]]:
    """Viewers by element id, typing ones first. One query; none if nobody views any of them."""
    viewings = [viewing for element_id in element_ids for viewing in hub().viewers.of(element_id)]
    if not viewings:
        return {}
    people = User.objects.in_bulk({viewing.person for viewing in viewings})
    found: dict[str, list[Viewer]] = {}
    for viewing in sorted(viewings, key=lambda viewing: (not viewing.is_typing, viewing.person)):
        if viewing.person in people:
            viewer = Viewer(viewing.person, name_of(people[viewing.person]), viewing.is_typing)
            found.setdefault(viewing.element_id, []).append(viewer)
    return {element_id: tuple(those) for element_id, those in found.items()}
