"""Undo of deleting a role, a team or a group mapping, and of removing a member of a team.

The person must be permitted to give all that comes back, both when the undo is offered and when it is used.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core import serializers
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.core.serializers.base import DeserializationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts import access, undo
from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest
from tms.accounts.models import Grant, GroupMapping, Role, Team, User
from tms.accounts.people import account, directory, holdings
from tms.accounts.people.roles.deletion import may_delete
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING, Scope
from tms.accounts.undo import serialize

DELETED, MEMBER_REMOVED = "people-rows-deleted", "team-member-removed"
MAX_ROWS = 100
"""The number of rows that may be deleted with a role or team. With more there is no undo: the token would be large."""
CHANGED_MEANWHILE = (PermissionDenied, ValidationError, IntegrityError, ObjectDoesNotExist, DeserializationError)
"""The last one: by a newer release, which has other columns."""


def of_role(role: Role, *, by: User) -> str:
    """The token, before it is deleted; empty if it cannot be undone. So are those of the other functions."""
    return _offer([role, *role.grants.order_by("pk"), *role.mappings.order_by("pk")], by=by)


def of_team(team: Team, *, by: User) -> str:
    return "" if team.is_of_directory else _offer([team, *team.grants.order_by("pk")], by=by)


def of_mapping(mapping: GroupMapping, *, by: User) -> str:
    return _offer([mapping], by=by)


def of_member(team: Team, person: User, *, by: User) -> str:
    return undo.offer(MEMBER_REMOVED, {"team": team.pk, "person": person.pk}, by=by)


def add_toast(request: AuthenticatedRequest, token: str, text: str = "") -> None:
    """Add a toast for the page to which the browser is redirected. `text`: what was done, if it is not a deletion."""
    messages.success(request, text or gettext("Deleted"), extra_tags=token)


def _offer(rows: Sequence[models.Model], *, by: User) -> str:
    """`rows`: each after those that it refers to."""
    if len(rows) > MAX_ROWS or not all(_may_insert(by, row) for row in rows):
        return ""
    return undo.offer(DELETED, {"rows": serialize(rows)}, by=by)


def _may_insert(by: User, row: Any) -> bool:
    return PERMITTED[type(row)](by, row)


def _may_map(by: User, row: GroupMapping) -> bool:
    scope = Scope.of(row.region, row.site_id, row.group_id)
    return access.may_within(by, Permission.EDIT_PROVIDERS, EVERYTHING) and access.may_grant(by, row.role, scope)


PERMITTED: Mapping[type[models.Model], Callable[[User, Any], bool]] = {
    Role: may_delete,
    Team: lambda by, _team: access.may(by, Permission.MANAGE_PEOPLE),
    Grant: account.may_change,
    GroupMapping: _may_map,
}


def undo_deleted(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    try:
        with transaction.atomic():
            for found in serializers.deserialize("json", payload["rows"]):
                _insert(found.object, found.m2m_data or {}, by=by)
    except CHANGED_MEANWHILE:
        return False
    return True


def _insert(row: Any, members: Mapping[str, Sequence[Any]], *, by: User) -> None:
    """Insert a row as it was, with its key. Raises ValidationError if a row that it refers to is gone."""
    if not _may_insert(by, row):
        raise PermissionDenied
    row.clean_fields()
    audited: AbstractContextManager[Any] = nullcontext()
    if isinstance(row, GroupMapping):
        audited = recorder.change(row.provider)
    with audited:
        row.save(force_insert=True)
    for name, people in members.items():
        getattr(row, name).set(User.objects.filter(pk__in=people))
    if not isinstance(row, GroupMapping):
        recorder.record("granted" if isinstance(row, Grant) else "restored", row)


def undo_removed_member(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    team = directory.teams(by).filter(pk=payload["team"]).first()
    person = directory.managed(by).filter(pk=payload["person"]).first()
    if team is None or person is None or team.is_of_directory or person.has_unverified_address:
        return False
    return account.may_change_all(by, team.grants.all()) and holdings.add_member(team, person)


def register() -> None:
    """Call it once, when the app is ready."""
    undo.register(DELETED, undo_deleted, _("Restored"))
    undo.register(MEMBER_REMOVED, undo_removed_member, _("Restored"))
