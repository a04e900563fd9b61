"""What refers to a group: rules, grants, windows, policies and rows that it owns."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, may, visible
from tms.accounts.permissions import Permission
from tms.accounts.scope import ScopePath
from tms.fleet.models import Group

MAX_NAMED = 20
"""Rows of one kind that a page names."""

CONSEQUENCES: Mapping[str, str | Promise] = {
    "accounts.Grant": _("New members are seen by these people; removed ones are not."),
    "alerts.Rule": _("New members can open alerts; alerts of removed ones are resolved."),
    "alerts.Window": _("Nobody is notified of new members while it is active."),
    "notifications.Policy": _("These people are notified of alerts of new members, not of removed ones."),
}


class GroupUse(NamedTuple):
    """Rows of one kind that refer to a group."""

    kind: str
    number: int
    names: list[str]
    """The rows that the reader sees, at most `MAX_NAMED`."""
    consequence: str = ""
    """What a change of members does there."""

    @property
    def unnamed(self) -> int:
        return self.number - len(self.names)


def uses_of(group: Group, *, to: Person) -> list[GroupUse]:
    return uses_of_any([group], to=to)


def uses_of_any(groups: Collection[Group], *, to: Person) -> list[GroupUse]:
    """The rows that refer to one of these groups, each once."""
    return [
        GroupUse(_kind(rows.model, number), number, _names(rows, to), str(CONSEQUENCES.get(rows.model._meta.label, "")))
        for rows in (_referring(groups) if groups else ())
        if (number := rows.count())
    ]


def blocking_uses(group: Group) -> dict[str, int]:
    """The number of rows of each kind because of which the group cannot be deleted."""
    counts = ((rows.model, rows.count()) for rows in _referring([group], is_blocking=True))
    return {_kind(model, number): number for model, number in counts if number}


def _referring(groups: Collection[Group], *, is_blocking: bool = False) -> Iterator[models.QuerySet[Any]]:
    """The rows of each model that refer to one of the groups.

    A window without its group would cover nothing: it blocks, too.
    """
    relations = [one for one in Group._meta.get_fields(include_hidden=True) if one.one_to_many or one.many_to_many]
    reverse: list[Any] = [one for one in relations if one.auto_created and not one.concrete]
    throughs = {one.through for one in reverse if one.many_to_many}
    for relation in reverse:
        model = relation.related_model
        if model._meta.auto_created or model in throughs:
            continue
        if not is_blocking or relation.many_to_many or relation.on_delete is models.PROTECT:
            # By a subquery: a row that names two of the groups counts once.
            found = model._base_manager.filter(**{f"{relation.field.name}__in": groups})
            yield model._base_manager.filter(pk__in=found.values("pk"))


def _names(rows: models.QuerySet[Any], to: Person) -> list[str]:
    """Grants and screens name people, and so are named only to those who manage people."""
    model = rows.model
    if model._meta.app_label == "accounts" and not may(to, Permission.MANAGE_PEOPLE):
        return []
    if not isinstance(getattr(model, "scope_path", None), ScopePath):
        return []
    return [str(row) for row in visible(rows, to=to)[:MAX_NAMED]]


def _kind(model: type[models.Model], number: int) -> str:
    return str(model._meta.verbose_name if number == 1 else model._meta.verbose_name_plural)
