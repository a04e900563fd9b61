"""Time-based presence: terminals whose lease ends, and terminals whose node or TMS itself was unavailable."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction

from tms.alerts import lifecycle
from tms.alerts.presence import follow
from tms.fleet.models import Cause, TerminalState
from tms.fleet.nodes import dropped_terminals
from tms.fleet.presence import store
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate
from tms.ops.health import heartbeats
from tms.rollouts import following

MAX_SWEEPS = 10
"""Rows per pass, so that other loops are not delayed."""

unswept = SetAside[int]("sweep")
unorphaned = SetAside[int]("nodes")


@skip_when_empty(TerminalState.objects.due)
def sweep(at: datetime) -> int:
    """Terminals that are due become silent, then offline. A transaction may cover thousands of terminals."""
    moved = 0
    for _ in range(MAX_SWEEPS):
        due = store.due_terminals(at, without=unswept.keys(at))
        moved += isolate(due, partial(_sweep, at=at), aside=unswept, at=at)
        if len(due) < store.SWEEP_LIMIT:
            break
    return moved


def _sweep(due: Collection[int], at: datetime) -> int:
    link_changes = store.sweep_due(due, at)
    follow(link_changes)
    return len(link_changes)


def orphan(node: str | None, at: datetime, *, cause: Cause = Cause.NODE_STOPPED, since: datetime | None = None) -> int:
    """A node that starts or is lost has lost all of its links: its terminals are silent until they reconnect.

    None means all nodes. One transaction per thousands of rows, so that nothing waits long for a row lock.
    """

    def lose(terminals: Collection[int]) -> int:
        link_changes = store.orphan(terminals, node, at, cause=cause, since=since)
        follow(link_changes)
        return len(link_changes)

    orphaned, reached = 0, 0
    while terminals := store.terminals_on_node(node, after=reached):
        orphaned += isolate(terminals, lose, aside=unorphaned, at=at)
        reached = terminals[-1]
    dropped_terminals.record(node or settings.NODE, at=at)
    return orphaned


def catch_up(at: datetime) -> bool:
    """Whether TMS itself was unavailable; then no terminal becomes silent, or is late for its return from an update,
    before the reconnect grace ends.
    """
    last = heartbeats.late_by(heartbeats.CLOCK, at=at)
    if last is None or last < heartbeats.HEARTBEAT_LATE_AFTER:
        return False
    until = at + timedelta(seconds=settings.RECONNECT_GRACE_S)
    with transaction.atomic():
        store.postpone(until, polls_until=at + timedelta(seconds=settings.HAWKBIT_LEASE_S))
        lifecycle.defer(until)
        following.defer(until, away=last)
    return True
