"""What a person may see and do. Every board, API operation and admin page decides through these functions."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import models
from django.utils.translation import gettext

from tms.accounts.models import User
from tms.accounts.permissions import Permission

type Person = User | AnonymousUser


class Forbidden(PermissionDenied):
    """The person lacks a permission; the message names it in their language."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(gettext("You don't have permission to %(action)s.") % {"action": permission.label})


class Granted:
    """What a person may do, by `Permission.key`: for templates, and as text for the page's `data-may`."""

    def __init__(self, person: Person) -> None:
        self._person = person

    def __getitem__(self, key: str) -> bool:
        return may(self._person, Permission[key.upper()])

    def __iter__(self) -> Iterator[str]:
        return (permission.key for permission in Permission if may(self._person, permission))

    def __str__(self) -> str:
        return " ".join(self)


def visible[Rows: models.QuerySet[Any]](rows: Rows, *, to: Person) -> Rows:
    """The `rows` that a person may see: all of them when signed in, none otherwise."""
    return rows if may_watch(to) else rows.none()


def may_watch(person: Person) -> bool:
    return person.is_authenticated and person.is_active


def may(person: Person, permission: Permission) -> bool:
    return may_watch(person) and person.has_perm(permission.value)


def demand(person: Person, permission: Permission) -> None:
    """Raises Forbidden when the person lacks the permission."""
    if not may(person, permission):
        raise Forbidden(permission)


def may_open_admin(person: Person) -> bool:
    """Whether the admin shows the person anything: staff status alone grants nothing there."""
    return may_watch(person) and person.is_staff and bool(person.is_superuser or person.get_all_permissions())


def may_act_for(person: Person, other: User) -> bool:
    """Whether `person` may manage a token, password or address of `other`, who must not have more permissions."""
    if not may_watch(person) or person.is_superuser:
        return may_watch(person)
    return not other.is_superuser and other.get_all_permissions() <= person.get_all_permissions()
