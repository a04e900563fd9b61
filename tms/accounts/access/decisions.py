"""Decisions on what a person may do, and see."""

from collections.abc import Collection, Iterator

from django.core.exceptions import PermissionDenied
from django.db import models
from django.utils.translation import gettext

from tms.accounts.access.rights import Person, rights_of
from tms.accounts.access.rows import covers, covers_row, scope_of
from tms.accounts.models import Role, User
from tms.accounts.permissions import Permission
from tms.accounts.scope import Scope


class Forbidden(PermissionDenied):
    """The person lacks a permission; the message names it in their language."""

    def __init__(self, permission: Permission, *, is_elsewhere: bool = False) -> None:
        self.permission = permission
        text = (
            gettext("You don't have permission to %(action)s here.")
            if is_elsewhere
            else gettext("You don't have permission to %(action)s.")
        )
        super().__init__(text % {"action": permission.label})


class Granted:
    """What a person may do anywhere, by `Permission.key`: for templates, and as text for the page's `data-may`."""

    def __init__(self, person: Person) -> None:
        self._person = person

    def __getitem__(self, key: str) -> bool:
        return may(self._person, Permission[key.upper()])

    def __iter__(self) -> Iterator[str]:
        return (permission.key for permission in Permission if may(self._person, permission))

    def __str__(self) -> str:
        return " ".join(self)


def may_watch(person: Person) -> bool:
    """Whether the person may sign in. What they then see depends on their grants."""
    return person.is_authenticated and person.is_active


def may(person: Person, permission: Permission, row: models.Model | None = None) -> bool:
    """Whether a grant has the permission for the stored `row`; without a row, for anything."""
    scope = scope_of(person, permission)
    return bool(scope) and (row is None or covers_row(scope, row))


def demand(person: Person, permission: Permission, row: models.Model | None = None) -> None:
    """Raises Forbidden when the person lacks the permission."""
    if not may(person, permission, row):
        raise Forbidden(permission, is_elsewhere=row is not None and may(person, permission))


def may_within(person: Person, permission: Permission, scope: Scope) -> bool:
    """Whether the person has the permission in all of `scope`."""
    held = scope_of(person, permission)
    return bool(held) and covers(held, scope)


def demand_within(person: Person, permission: Permission, scope: Scope) -> None:
    """Raises Forbidden when the person lacks the permission in a part of `scope`."""
    if not may_within(person, permission, scope):
        raise Forbidden(permission, is_elsewhere=may(person, permission))


def demand_within_any(person: Person, permission: Permission, scopes: Collection[Scope]) -> None:
    """The same, if one of the `scopes` suffices: each covers all that the row is about."""
    if not any(may_within(person, permission, scope) for scope in scopes):
        raise Forbidden(permission, is_elsewhere=may(person, permission))


def may_grant(person: Person, role: Role, scope: Scope) -> bool:
    """Whether `person` may grant `role` for `scope`: nobody grants more than they hold there."""
    needed = {Permission.MANAGE_PEOPLE, *role.known_permissions}
    return all(may_within(person, permission, scope) for permission in needed)


def may_act_for(person: Person, other: User) -> bool:
    """Whether `person` may manage a token, password or address of `other`, who must not have more permissions."""
    if not may_watch(person) or person.is_superuser:
        return may_watch(person)
    if other.is_superuser:
        return False
    mine, theirs = rights_of(person), rights_of(other)
    return covers(mine.visible, theirs.visible) and all(
        covers(mine.scope(permission), scope) for permission, scope in theirs.scopes.items()
    )
