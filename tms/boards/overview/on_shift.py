"""Who is on shift: signed-in people with an open board, on any process.

Stored in the cache. While it is unavailable, boards omit this panel.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache, reduce
from typing import NamedTuple

from django.core.cache import cache
from django.db.models import QuerySet
from django.utils import timezone

from tms.accounts.access import within
from tms.accounts.display_names import Name, colleagues, name_of
from tms.accounts.models import User
from tms.accounts.scope import Scope
from tms.fleet.models import Terminal
from tms.shifts.on_call import on_call_between

MOMENT = timedelta(seconds=1)
LEASE_S = 15
"""The boards of a process that stops reporting are taken as closed."""
OVERLAP_S = 60
"""How long it is remembered whether two scopes share a terminal, and who is on call."""


class OnShift(NamedTuple):
    name: Name
    page: str
    """The kind of page that is open: overview, terminals, …"""


class OpenBoard(NamedTuple):
    """What is reported of a person."""

    page: str
    scope: Scope


def report(here: Mapping[int, OpenBoard], left: Collection[int]) -> None:
    """Report the open page of each person (by primary key), and the people who left this process."""
    cache.set_many({_key(person): tuple(board) for person, board in here.items()}, LEASE_S)
    cache.delete_many([_key(person) for person in left])


def shift(scope: Scope) -> dict[str, Sequence[object]]:
    """Who is on call, and who else has a board open."""
    called = _on_call(scope, int(time.monotonic() // OVERLAP_S))
    return {"called": called, "people": tuple(one for one in on_shift(scope) if one.name not in called)}


@lru_cache(maxsize=1000)
def _on_call(scope: Scope, period: int) -> tuple[Name, ...]:
    """The people on call in this period: boards are rendered often, and rotations change their person once a day."""
    now = timezone.now()
    return tuple(dict.fromkeys(one.person for one in on_call_between(now, now + MOMENT, scope)))


def on_shift(scope: Scope) -> tuple[OnShift, ...]:
    """People whose scope shares a terminal with `scope`."""
    people = {_key(person.pk): person for person in colleagues().order_by("username")}
    boards = {key: OpenBoard(*board) for key, board in cache.get_many(people).items()}
    now = int(time.monotonic() // OVERLAP_S)
    near = {other for other in {board.scope for board in boards.values()} if _overlap(frozenset((scope, other)), now)}
    return tuple(
        OnShift(name_of(person), boards[key].page)
        for key, person in people.items()
        if key in boards and boards[key].scope in near
    )


@lru_cache(maxsize=10_000)
def _overlap(scopes: frozenset[Scope], period: int) -> bool:
    """Whether a terminal is in all of them, in this period. Most people see everything or the same: no query."""
    limited = [scope for scope in scopes if not scope.is_everything]
    if not all(limited) or len(limited) < 2:
        return all(limited)
    return reduce(within, limited, Terminal.objects.counted()).exists()


def people() -> QuerySet[User]:
    """Everyone who is on shift."""
    keys = {_key(pk): pk for pk in colleagues().values_list("pk", flat=True)}
    return colleagues().filter(pk__in=[keys[key] for key in cache.get_many(keys)]).order_by("username")


def _key(person: int) -> str:
    return f"open-board-{person}"
