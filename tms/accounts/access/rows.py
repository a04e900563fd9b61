"""Which rows a scope covers."""

from collections.abc import Collection
from typing import Any

from django.db import models

from tms.accounts import fleet_rows
from tms.accounts.access.rights import Person, rights_of
from tms.accounts.permissions import Permission
from tms.accounts.scope import Scope, ScopePath


def scope_of(person: Person, permission: Permission | None = None) -> Scope:
    """Where the person has the permission; without one, what they see."""
    rights = rights_of(person)
    return rights.visible if permission is None else rights.scope(permission)


def visible[Rows: models.QuerySet[Any]](rows: Rows, *, to: Person) -> Rows:
    """The `rows` that a person may see. For people who see everything, the query is unchanged."""
    return within(rows, scope_of(to))


def within[Rows: models.QuerySet[Any]](rows: Rows, scope: Scope) -> Rows:
    """The `rows` that people with this scope may see."""
    path = scope_path_of(rows.model)
    if scope.is_everything:
        return rows
    return rows.filter(path.seen(scope)) if scope else rows.none()


def choosable[Rows: models.QuerySet[Any]](rows: Rows, current: Collection[int], *, to: Person) -> Rows:
    """The `rows` that a person may choose, and those with the keys `current`, which are chosen already.

    These stay when a person who does not see them changes something else.
    """
    seen = visible(rows, to=to)
    if not current:
        return seen
    everyone: Any = rows.model._base_manager
    found: Rows = everyone.filter(models.Q(pk__in=seen.values("pk")) | models.Q(pk__in=current))
    return found


def permitted[Rows: models.QuerySet[Any]](rows: Rows, *, by: Person, permission: Permission) -> Rows:
    """The `rows` that a person has the permission for."""
    return covered(rows, scope_of(by, permission))


def covered[Rows: models.QuerySet[Any]](rows: Rows, scope: Scope) -> Rows:
    """The `rows` that lie within the scope as a whole."""
    path = scope_path_of(rows.model)
    if scope.is_everything:
        return rows
    return rows.filter(path.covered(scope)) if scope else rows.none()


def covers_row(scope: Scope, row: models.Model) -> bool:
    """Whether the stored `row` lies within the scope as a whole."""
    rows = type(row)._base_manager.filter(pk=row.pk)
    return bool(scope_path_of(type(row))) and (scope.is_everything or covered(rows, scope).exists())


def covers(scope: Scope, other: Scope) -> bool:
    """Whether `other` lies within `scope`. A group is covered only by itself, since its terminals may change."""
    if scope.is_everything or not other:
        return True
    if other.is_everything or not (other.regions <= scope.regions and other.groups <= scope.groups):
        return False
    rest = other.sites - scope.sites
    sites = fleet_rows.sites().filter(pk__in=rest)
    return not rest or (bool(scope.regions) and not sites.exclude(region__in=scope.regions).exists())


def scope_path_of(model: type[models.Model]) -> ScopePath:
    """Raises TypeError for a model that declares none: no row of it may be shown by mistake."""
    path = getattr(model, "scope_path", None)
    if not isinstance(path, ScopePath):
        raise TypeError(f"{model.__name__} declares no scope_path; see docs/permissions.md")
    return path
