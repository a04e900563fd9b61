"""Terminals with what a REST response shows of them."""

from django.db.models import Prefetch, QuerySet

from tms.accounts.access import scope_of, visible
from tms.accounts.models import User
from tms.fleet.models import Group, Terminal, TerminalAttribute


def terminals_for(person: User) -> QuerySet[Terminal]:
    groups = Prefetch("groups", Group.objects.order_by("name"))
    values = Prefetch("attributes", TerminalAttribute.objects.select_related("attribute"))
    rows = Terminal.objects.select_related("site", "state", "parent").prefetch_related(groups, "tags", values)
    return visible(_with_seen_parent(rows, person), to=person)


def _with_seen_parent(rows: QuerySet[Terminal], person: User) -> QuerySet[Terminal]:
    """A terminal that the person does not see is not named as a parent, either."""
    if scope_of(person).is_everything:
        return rows
    return (
        rows.select_related(None)
        .select_related("site", "state")
        .prefetch_related(Prefetch("parent", visible(Terminal.objects.all(), to=person)))
    )
