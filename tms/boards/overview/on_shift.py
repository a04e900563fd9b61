"""Who is on shift: signed-in people with an open board, on whichever process it is open.

Kept in the cache. While that is away, boards go on without this panel.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from django.core.cache import cache

from tms.accounts.display_names import Name, name_of
from tms.accounts.models import User

LEASE_S = 15
"""A process that stops saying so has no boards any more."""


class OnShift(NamedTuple):
    name: Name
    page: str
    """The kind of page that is open: overview, terminals, …"""


def report(here: Mapping[int, str], left: Collection[int]) -> None:
    """Say for a while which page each of these people (by primary key) has open, and who has left this process."""
    cache.set_many({_key(person): page for person, page in here.items()}, LEASE_S)
    cache.delete_many([_key(person) for person in left])


def on_shift() -> tuple[OnShift, ...]:
    people = {_key(person.pk): person for person in User.objects.filter(is_active=True).order_by("username")}
    pages = cache.get_many(people)
    return tuple(OnShift(name_of(person), pages[key]) for key, person in people.items() if key in pages)


def _key(person: int) -> str:
    return f"shift-{person}"
