"""What a change of tags and attributes does to dynamic groups, and to what uses these."""

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext

from tms.accounts.access import Person
from tms.fleet.groups import dynamic
from tms.fleet.groups.dynamic import GroupMove
from tms.fleet.groups.uses import GroupUse, uses_of

MAX_GROUPS = 20
"""Groups of which a page says what uses them."""


class MovedGroup(NamedTuple):
    """A dynamic group that a change moves terminals into or out of, and what uses it."""

    move: GroupMove
    uses: list[GroupUse]


def preview(change: Callable[[], object]) -> list[GroupMove]:
    """The groups that a change would move terminals into and out of: it is made, and rolled back."""
    with transaction.atomic(), dynamic.moves() as found:
        change()
        transaction.set_rollback(True)
    return _sorted(found.values())


def made(change: Callable[[], object]) -> list[GroupMove]:
    """Make the change, in one transaction; the groups that it moved terminals into and out of."""
    with transaction.atomic(), dynamic.moves() as found:
        change()
    return _sorted(found.values())


def with_uses(moves: Collection[GroupMove], *, to: Person) -> list[MovedGroup]:
    return [MovedGroup(move, uses_of(move.group, to=to)) for move in list(moves)[:MAX_GROUPS]]


def used(moves: Collection[GroupMove], *, to: Person) -> list[MovedGroup]:
    """Only the groups that something uses."""
    return [each for each in with_uses(moves, to=to) if each.uses]


def told(moves: Iterable[GroupMove]) -> str:
    """The moves in words: `Joined: Kiosks. Left: Pilot stores (12).`"""
    listed = list(moves)
    texts = (
        (gettext("Joined: %(groups)s."), [(move.group.name, move.joins) for move in listed if move.joins]),
        (gettext("Left: %(groups)s."), [(move.group.name, move.leaves) for move in listed if move.leaves]),
    )
    return " ".join(text % {"groups": _named(groups)} for text, groups in texts if groups)


def _named(groups: Collection[tuple[str, int]]) -> str:
    names = [f"{name} ({number:,})" if number > 1 else name for name, number in list(groups)[:MAX_GROUPS]]
    return gettext(", ").join(names) + ("…" if len(groups) > MAX_GROUPS else "")


def _sorted(moves: Iterable[GroupMove]) -> list[GroupMove]:
    return sorted(moves, key=lambda move: move.group.name)
