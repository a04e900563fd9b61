"""Who is on shift: signed-in people with an open board, on any process.

Stored in the cache. While it is unavailable, boards omit this panel.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from django.core.cache import cache

from tms.accounts.display_names import Name, colleagues, name_of

LEASE_S = 15
"""The boards of a process that stops reporting are taken as closed."""


class OnShift(NamedTuple):
    name: Name
    page: str
    """The kind of page that is open: overview, terminals, …"""


def report(here: Mapping[int, str], left: Collection[int]) -> None:
    """Report the open page of each person (by primary key), and the people who left this process."""
    cache.set_many({_key(person): page for person, page in here.items()}, LEASE_S)
    cache.delete_many([_key(person) for person in left])


def on_shift() -> tuple[OnShift, ...]:
    people = {_key(person.pk): person for person in colleagues().order_by("username")}
    pages = cache.get_many(people)
    return tuple(OnShift(name_of(person), pages[key]) for key, person in people.items() if key in pages)


def _key(person: int) -> str:
    return f"shift-{person}"
