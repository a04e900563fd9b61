"""Who may approve a request: people with a board open, other than the requester, with the permission for all of it."""

from collections.abc import Callable, Collection, Iterator
from typing import Any

from django.core.cache import cache
from django.db.models import Model, QuerySet

from tms.accounts.access import may, permitted, scope_of
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.approvals.kinds import ApprovalKind
from tms.approvals.models import ApprovalRequest

MAX_ASKED = 50
"""People on shift who are considered, so that a request stays bounded."""
READING_S = 10
"""How long a person counts as reading a request after their dialog last asked for its state."""


_sources: list[Callable[[], QuerySet[User]]] = []


def register_shift(people: Callable[[], QuerySet[User]]) -> None:
    """`people` returns those who have a board open; the boards register it."""
    _sources[:] = [people]


def on_shift() -> QuerySet[User]:
    return _sources[0]() if _sources else User.objects.none()


def approvers(kind: ApprovalKind[Any, Any], payload: object, *, besides: User) -> Iterator[User]:
    on_boards = on_shift().exclude(pk=besides.pk)[:MAX_ASKED]
    others = (person for person in on_boards if is_second(person, besides))
    return (person for person in others if kind.is_permitted(payload, person))


def is_second(person: User, *first: User | None) -> bool:
    """Whether the person is somebody else than each of `first`. A service account is nobody: one of them may have it.

    An account with the address of another one belongs to the same person.
    """
    return not person.is_service and not any(one is not None and person.is_person_of(one) for one in first)


def holds_for_all(person: User, permission: Permission, rows: QuerySet[Model], keys: Collection[int]) -> bool:
    """Whether the person has the permission for each of `rows`, which have these primary keys as far as they exist.

    What was deleted may have been anywhere: if none of them exists, the permission must be for everything.
    """
    if not keys or scope_of(person, permission).is_everything:
        return may(person, permission)
    held = permitted(rows, by=person, permission=permission)
    return rows.exists() and not rows.exclude(pk__in=held.values("pk")).exists()


def note_reader(request: ApprovalRequest, person: User) -> None:
    cache.set(_key(request), person.pk, READING_S)


def reader_of(request: ApprovalRequest) -> User | None:
    """The person who opened the request last and still has it open."""
    pk = cache.get(_key(request))
    return User.objects.filter(pk=pk).first() if pk else None


def _key(request: ApprovalRequest) -> str:
    return f"approval-reader-{request.pk}"
