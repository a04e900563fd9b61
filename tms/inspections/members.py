"""Which terminals are part of a round: those in service with a device at its start, until they are retired."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from tms.accounts.access.rows import covered
from tms.accounts.scope import Scope
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import Placement, Terminal
from tms.inspections.models import Inspection, MemberLeft, Round, RoundMember

BATCH = 2_000


def inspected_terminals(scope: Scope, kinds: Collection[str]) -> QuerySet[Terminal]:
    """The terminals that a round with this scope has if it starts now."""
    rows = covered(Terminal.objects.filter(lifecycle=Lifecycle.IN_SERVICE), scope)
    rows = rows.filter(kind__in=kinds) if kinds else rows
    return rows.filter(pk__in=Placement.objects.open().values("terminal"))


def add_members(started: Round, terminals: QuerySet[Terminal]) -> None:
    placed = Placement.objects.open().filter(terminal__in=terminals.values("pk")).order_by("pk")
    last = Inspection.objects.valid().filter(device=OuterRef("device")).order_by("-at", "-pk")
    rows = placed.annotate(last=Subquery(last.values("pk")[:1]), last_at=Subquery(last.values("at")[:1]))
    RoundMember.objects.bulk_create(
        (
            RoundMember(round=started, terminal_id=terminal, before_id=pk, due_on=_due_on(started, at))
            for terminal, pk, at in rows.values_list("terminal", "last", "last_at")
        ),
        batch_size=BATCH,
    )


def due_again(inspected_at: datetime, every_days: int) -> date:
    return timezone.localdate(inspected_at) + timedelta(days=every_days)


def _due_on(started: Round, last_at: datetime | None) -> date:
    """When its interval ends, at the latest at the end of the round."""
    if last_at is None:
        return started.due_on
    return min(started.due_on, due_again(last_at, started.every_days))


def follow_lifecycle(*, terminals: Collection[int], to: Lifecycle, at: datetime, **_: object) -> None:
    """A receiver of `lifecycle_changed`. What was inspected stays; what was brought back is part of it again."""
    waiting = RoundMember.objects.filter(terminal__in=terminals, current=None, round__closed_at=None)
    if to == Lifecycle.RETIRED:
        waiting.counted().update(left=MemberLeft.RETIRED, left_at=at)
    else:
        waiting.filter(left=MemberLeft.RETIRED).update(left=MemberLeft.NOT, left_at=None)
