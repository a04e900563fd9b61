"""Who else is at an alert, as a row tells it."""

from collections.abc import Collection
from typing import NamedTuple

from tms.accounts.models import User
from tms.accounts.names import Name, name_of
from tms.live.hub import hub


class Here(NamedTuple):
    person: int
    name: Name
    is_typing: bool


def here(alerts: Collection[int]) -> dict[int, tuple[Here, ...]]:
    """Of these alerts, in one query while anybody is at one of them: who types first."""
    looks = [look for alert in alerts for look in hub.onlookers.of(alert)]
    if not looks:
        return {}
    people = User.objects.in_bulk({look.person for look in looks})
    found: dict[int, list[Here]] = {}
    for look in sorted(looks, key=lambda look: (not look.is_typing, look.person)):
        if look.person in people:
            found.setdefault(look.alert, []).append(Here(look.person, name_of(people[look.person]), look.is_typing))
    return {alert: tuple(at) for alert, at in found.items()}
