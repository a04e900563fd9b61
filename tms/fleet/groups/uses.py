"""What refers to a group: rules, grants, windows, policies, rows that it owns, and queries of jobs."""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, may, visible
from tms.accounts.permissions import Permission
from tms.accounts.scope import ScopePath
from tms.fleet.groups.conditions import conditions_of, is_pattern, selects
from tms.fleet.models import Group
from tms.query.tree import Value

GROUP, TAG = "group", "tag"
MAX_QUERIES = 500
"""Rows of one kind whose queries are read."""
MAX_NAMED = 20
"""Rows of one kind that a page names."""

CONSEQUENCES: Mapping[str, str | Promise] = {
    "accounts.Grant": _("New members are seen by these people; removed ones are not."),
    "alerts.Rule": _("New members can open alerts; alerts of removed ones are resolved."),
    "alerts.Window": _("Nobody is notified of new members while it is active."),
    "fleet.SavedView": _("Its query names the group: after a renaming it selects nothing."),
    "jobs.Job": _("Coming runs have the new members, and do not start without a group of this name."),
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
    if not groups:
        return []
    referring = ((rows, partial(_names, rows, to)) for rows in _referring(groups))
    querying = _querying(GROUP, [group.name for group in groups], to)
    return [
        GroupUse(_kind(rows.model, number), number, names(), str(CONSEQUENCES.get(rows.model._meta.label, "")))
        for rows, names in chain(referring, querying)
        if (number := rows.count())
    ]


def uses_of_tag(name: str, *, to: Person) -> list[GroupUse]:
    """The rows whose query has a condition on the tag, without dynamic groups."""
    return [
        GroupUse(_kind(rows.model, number), number, names())
        for rows, names in _querying(TAG, [name], to)
        if (number := rows.count())
    ]


type QuerySource = Callable[[Person | None], models.QuerySet[Any]]
"""Rows with a `query` about terminals: those that a person sees; all for None."""

_sources: list[QuerySource] = []


def add_queries(source: QuerySource) -> None:
    """An app whose rows select terminals by a query calls it when it is ready: the query may name groups."""
    _sources.append(source)


def _querying(
    field: str, names: Collection[str], to: Person
) -> Iterator[tuple[models.QuerySet[Any], partial[list[str]]]]:
    """The rows with a condition on the field that selects one of these names, and the names of those that are seen."""
    for source in _sources:
        rows = source(None).filter(query__icontains=field).order_by("-pk")
        naming = [pk for pk, query in rows.values_list("pk", "query")[:MAX_QUERIES] if _selects(query, field, names)]
        found = source(None).filter(pk__in=naming)
        yield found, partial(_named, source(to) & found)


def _selects(query: str, field: str, names: Collection[str]) -> bool:
    values = (value for name, values in conditions_of(query) if name == field for value in values)
    return any(selects(value, name) for value in values for name in names)


def unknown_groups(query: str) -> list[Value]:
    """The values in a query that name a group which does not exist: such a condition selects nothing, and its negation
    everything.
    """
    named = [
        value
        for field, values in conditions_of(query)
        if field == GROUP
        for value in values
        if value.text and not is_pattern(value)
    ]
    return [value for value in named if not Group.objects.filter(name__iexact=value.text).exists()]


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
    return _named(visible(rows, to=to))


def _named(rows: models.QuerySet[Any]) -> list[str]:
    return [str(row) for row in rows[:MAX_NAMED]]


def _kind(model: type[models.Model], number: int) -> str:
    return str(model._meta.verbose_name if number == 1 else model._meta.verbose_name_plural)
