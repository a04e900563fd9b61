"""What a bulk edit would change: each of its terminals compared with the database. Nothing is changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

import msgspec
from django.db import transaction
from django.db.models import QuerySet

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import Terminal
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.query.query import Query
from tms.transfer.kinds.edits import Edit, reach_of
from tms.transfer.kinds.facts import edit_of, rows_of
from tms.transfer.models import Effect, Import, ImportState
from tms.transfer.planning import store_plan
from tms.transfer.rows import FileRow

MAX_TERMINALS = 50_000
REPEATED_WITHIN = timedelta(minutes=1)


class TooManyTerminals(ValueError):
    """More than `MAX_TERMINALS`."""


class EditTarget(NamedTuple):
    """The terminals that a query selects, or those that a person picked."""

    query: str | None
    uids: Sequence[str] = ()

    def rows(self, *, to: User, at: datetime) -> QuerySet[Terminal]:
        """The rows that the person sees. Raises QueryError.

        A query that says nothing of lifecycle states means terminals in service, as it does in the list.
        """
        seen = visible(Terminal.objects.all(), to=to)
        if self.query is None:
            return seen.filter(uid__in=self.uids)
        query = Query.of(self.query, TERMINAL_FIELDS)
        if "state" not in query.used:
            seen = seen.filter(lifecycle=Lifecycle.IN_SERVICE)
        return seen.filter(query.where(at))


@dataclass(frozen=True)
class EditPlan:
    edit: Edit
    rows: Sequence[FileRow]

    @cached_property
    def changed(self) -> list[FileRow]:
        return [row for row in self.rows if row.effect == Effect.CHANGED]

    @cached_property
    def refused(self) -> list[FileRow]:
        return [row for row in self.rows if row.faults]

    @property
    def unchanged(self) -> int:
        return len(self.rows) - len(self.changed) - len(self.refused)

    @property
    def pks(self) -> list[int]:
        return [row.stored_pk for row in self.changed]


def plan(edit: Edit, target: EditTarget, *, by: User, at: datetime) -> EditPlan:
    """Compare every terminal of the target. Raises QueryError and TooManyTerminals."""
    terminals = target.rows(to=by, at=at).order_by("uid").values_list("uid", flat=True)
    uids = list(terminals[: MAX_TERMINALS + 1])
    if len(uids) > MAX_TERMINALS:
        raise TooManyTerminals
    kind, reach = rows_of(edit), reach_of(edit, by=by, at=at)
    rows = [FileRow(number, (uid,), given=dict(edit.given)) for number, uid in enumerate(uids, 1)]
    stored = kind.stored([row.key for row in rows], reach)
    found = [row for row in rows if row.key in stored]  # one may have been deleted a moment ago
    for row in found:
        row.compare(stored[row.key], {}, _as_it_is)
    kind.check([row for row in found if row.after], reach)
    return EditPlan(msgspec.structs.replace(edit, query=target.query), found)


def _as_it_is(column: str, value: str) -> str:
    return value


@transaction.atomic
def store(made: EditPlan, *, by: User, at: datetime) -> Import:
    """Store a plan, so that it can be applied and undone."""
    edit = made.edit
    chosen = Import.objects.create(
        kind=edit.kind, file_name=edit.summary[:200], edit=msgspec.to_builtins(edit), created_by=by, created_at=at
    )
    store_plan(chosen, made.rows, by=by)
    return chosen


def wait_for_edits_of(person: User) -> None:
    """Let the edits of a person follow each other until the transaction ends.

    A form that is sent twice waits for the first, and finds what that one did.
    """
    User.objects.select_for_update(no_key=True).get(pk=person.pk)


def repeated(edit: Edit, *, by: User, at: datetime) -> Import | None:
    """The same edit of the same person a moment ago: a form that was sent twice."""
    recent = Import.objects.filter(created_by=by, edit__isnull=False, created_at__gt=at - REPEATED_WITHIN)
    last = recent.filter(state__in=(ImportState.APPLYING, ImportState.APPLIED)).order_by("-pk").first()
    return last if last is not None and edit_of(last) == edit else None
