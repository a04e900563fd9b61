"""Dynamic groups: a query selects their members.

The members are written as rows, in the transaction of the change that adds or removes them, and all of them are
compared by the clock each hour. So rules, policies and boards read ordinary groups, and no report asks a query.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.db.models.signals import post_save
from django.utils import timezone
from django.utils.translation import gettext

from tms.accounts.access import demand_within
from tms.accounts.audit import recorder
from tms.accounts.models import Grant, User
from tms.accounts.models.identity_provider import GroupMapping
from tms.accounts.permissions import Permission
from tms.accounts.scope.value import EVERYTHING
from tms.fleet.groups.services import write_members
from tms.fleet.identity.history import identity_changed
from tms.fleet.labels.tags import labels_changed
from tms.fleet.models import Group, IdentityChange, IdentityField, IdentitySource, Placement, Site, Terminal
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.query.errors import QueryError
from tms.query.fields import Field, MovedBy
from tms.query.query import Query

MAX_DYNAMIC_GROUPS = 200
MAX_AMONG = 1_000
"""A comparison of all costs less than one among more terminals than this."""
EVALUATED_EVERY = timedelta(hours=1)
LABELS = ("tag", "attr.")
READ_AS: dict[str, tuple[str, ...]] = {
    IdentityField.LIFECYCLE: ("state",),
    IdentityField.LABEL: ("location",),
    IdentityField.PARENT: ("via",),
    IdentityField.SITE: ("site", "region", *LABELS),
    IdentityField.GROUPS: (),
}
"""The fields of queries that read a fact of the history, where they are not called as it is."""


class IsScope(ValueError):
    """People get rights by the members of this group, so no query may choose them."""

    code = "tms:group-is-scope"


class TooManyDynamicGroups(ValueError):
    code = "tms:too-many-dynamic-groups"


class Evaluation(NamedTuple):
    """The terminals that join a group, and those that leave it."""

    joins: frozenset[int]
    leaves: frozenset[int]


@dataclass
class GroupMove:
    """How many terminals a change put into a group, and how many it removed."""

    group: Group
    joins: int = 0
    leaves: int = 0


_moves: ContextVar[dict[int, GroupMove] | None] = ContextVar("group_moves", default=None)


@contextmanager
def moves() -> Iterator[dict[int, GroupMove]]:
    """Collect which dynamic groups the changes within move terminals into and out of, by primary key."""
    found: dict[int, GroupMove] = {}
    token = _moves.set(found)
    try:
        yield found
    finally:
        _moves.reset(token)


def _note_move(group: Group, found: Evaluation) -> None:
    if (collected := _moves.get()) is not None:
        move = collected.setdefault(group.pk, GroupMove(group))
        move.joins += len(found.joins)
        move.leaves += len(found.leaves)


def read_query(text: str) -> Query:
    """The query of a group. Raises QueryError, also for what time or a report moves: then nothing says when to ask."""
    query = Query.of(text, TERMINAL_FIELDS)
    if query.words:
        problem = gettext("The query of a group has conditions only. Write, for example, location:hall.")
        raise QueryError(problem, query.words)
    for name, span in query.used.items():
        field = TERMINAL_FIELDS.find(name)
        if field is None or field.moved_by is not MovedBy.CHANGE or name == "group":
            problem = gettext("The query of a group cannot use %(field)s, because %(reason)s.")
            raise QueryError(problem % {"field": name, "reason": _reason(field)}, span)
    return query


def _reason(field: Field | None) -> str:
    match field.moved_by if field else MovedBy.CHANGE:
        case MovedBy.CHANGE:
            return gettext("a group cannot depend on another group")
        case MovedBy.TIME | MovedBy.PLAN:
            return gettext("its result changes as time passes")
        case MovedBy.ALERT:
            return gettext("its result changes with each alert")
        case MovedBy.READING | MovedBy.STATUS | MovedBy.PRESENCE:
            return gettext("its result changes with each report")


@transaction.atomic
def set_query(group: Group, text: str, *, by: User | None, at: datetime) -> Evaluation:
    """Let a query choose the members; an empty text leaves those that there are, and people choose again.

    Needs the permission to manage groups for everything, because a query selects from all terminals. Raises QueryError,
    IsScope and TooManyDynamicGroups.
    """
    if by is not None:
        demand_within(by, Permission.MANAGE_GROUPS, EVERYTHING)
    stored = Group.objects.select_for_update().get(pk=group.pk)
    if text:
        read_query(text)
        _check_possible(stored)
    with recorder.change(stored):
        stored.query = text
        stored.save(update_fields=("query",))
    group.query = text
    return evaluate(stored, at=at, by=by) if text else Evaluation(frozenset(), frozenset())


def preview(group: Group, text: str, *, at: datetime) -> Evaluation:
    """What the query would change. Raises QueryError."""
    return _compare(group, read_query(text), None, at)


def selected(text: str, *, at: datetime) -> QuerySet[Terminal]:
    """The terminals that the query selects. Raises QueryError."""
    return Terminal.objects.filter(read_query(text).where(at))


@transaction.atomic
def evaluate(group: Group, *, at: datetime, among: Collection[int] | None = None, by: User | None = None) -> Evaluation:
    """Make the members those that the query selects; of `among` only, if given.

    The lock lets evaluations of a group follow each other: each reads what those before it committed.
    """
    stored = Group.objects.select_for_update().get(pk=group.pk)
    some = among if among is not None and len(among) <= MAX_AMONG else None
    found = _compare(stored, read_query(stored.query), some, at)
    if found.joins or found.leaves:
        _note_move(stored, found)
        write_members(stored, sorted(found.joins), sorted(found.leaves), by=by, at=at, source=IdentitySource.QUERY)
    if among is None:
        Group.objects.filter(pk=stored.pk).update(evaluated_at=at)
    return found


def evaluate_due(at: datetime) -> None:
    """Evaluate the groups that were not evaluated for an hour. The clock calls it; each is a transaction of its own."""
    due = Group.objects.exclude(query="").filter(Q(evaluated_at=None) | Q(evaluated_at__lte=at - EVALUATED_EVERY))
    for group in due.order_by("pk")[:MAX_DYNAMIC_GROUPS]:
        if readable(group):
            evaluate(group, at=at)


def follow_identity(changes: Collection[IdentityChange], **_: Any) -> None:
    """Evaluate the groups whose queries read what changed. A receiver of `identity_changed`."""
    fields = {name for change in changes for name in READ_AS.get(change.field, (change.field,))}
    if fields:
        _follow_where(fields, lambda: {change.terminal_id for change in changes})


def follow_labels(model: type[Model], rows: frozenset[int], **_: Any) -> None:
    """The same for tags and attributes. A receiver of `labels_changed`."""
    _follow_where(LABELS, lambda: terminals_of(model, rows))


def follow_site(instance: Site, *, created: bool, **_: Any) -> None:
    """A receiver of `post_save`."""
    if not created:
        follow_sites([instance.pk])


def follow_sites(sites: Collection[int]) -> None:
    """Names and regions of sites are read, too. Code that changes many at once calls it."""
    _follow_where(("site", "region"), lambda: Terminal.objects.filter(site__in=sites).values_list("pk", flat=True))


def follow_terminal(instance: Terminal, *, created: bool, **_: Any) -> None:
    """A receiver of `post_save`."""
    if created:
        follow_created([instance.pk])


def follow_placement(instance: Placement, **_: Any) -> None:
    """The labels of a device come with it. A receiver of `post_save`."""
    _follow_where(LABELS, lambda: [instance.terminal_id])


def follow_created(terminals: Collection[int]) -> None:
    """Put new terminals into the groups that select them. Code that creates many at once calls it."""
    _follow_where(None, lambda: terminals)


def connect() -> None:
    identity_changed.connect(follow_identity)
    labels_changed.connect(follow_labels)
    post_save.connect(follow_site, sender=Site)
    post_save.connect(follow_terminal, sender=Terminal)
    post_save.connect(follow_placement, sender=Placement)


def _follow_where(fields: Collection[str] | None, terminals: Callable[[], Iterable[int]]) -> None:
    """Evaluate the groups that use one of these fields (all groups for None), among these terminals."""
    among = cache(lambda: list(terminals()))
    for group in Group.objects.exclude(query="").order_by("pk"):
        query = readable(group)
        if query and (fields is None or any(name.startswith(tuple(fields)) for name in query.used)):
            evaluate(group, at=timezone.now(), among=among())


def readable(group: Group) -> Query | None:
    """The group's query; None if it is none any more, because an attribute was deleted. Then its members stay."""
    try:
        return read_query(group.query)
    except QueryError:
        return None


def _check_possible(group: Group) -> None:
    if Grant.objects.filter(group=group).exists() or GroupMapping.objects.filter(group=group).exists():
        raise IsScope(group.name)
    if not group.is_dynamic and Group.objects.exclude(query="").count() >= MAX_DYNAMIC_GROUPS:
        raise TooManyDynamicGroups(MAX_DYNAMIC_GROUPS)


def terminals_of(model: type[Model], rows: Collection[int]) -> Iterable[int]:
    if model is Terminal:
        return rows
    if model is Site:
        found = Terminal.objects.filter(site__in=rows)
    else:
        found = Terminal.objects.filter(pk__in=Placement.objects.open().filter(device__in=rows).values("terminal"))
    return found.values_list("pk", flat=True)


def _compare(group: Group, query: Query, among: Collection[int] | None, at: datetime) -> Evaluation:
    members = Group.terminals.through.objects.filter(group=group.pk or 0)
    selected = Terminal.objects.filter(query.where(at))
    if among is not None:
        # On both sides: a change of one terminal must not cost a comparison of all.
        members, selected = members.filter(terminal__in=among), selected.filter(pk__in=among)
    joins = selected.exclude(pk__in=members.values("terminal")).values_list("pk", flat=True)
    leaves = members.exclude(terminal__in=selected.values("pk")).values_list("terminal", flat=True)
    return Evaluation(frozenset(joins), frozenset(leaves))
