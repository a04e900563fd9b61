"""Watches for nodes without a heartbeat."""

import time
from collections.abc import Callable
from datetime import datetime

import structlog

from tms.clock.presence_sweep import orphan
from tms.fleet.models import Cause
from tms.fleet.models.node import HEARTBEAT_S, LOST_AFTER_S, Node
from tms.fleet.nodes import membership
from tms.lib.db.clock import db_clock
from tms.lib.db.jobs import OccasionalPass
from tms.lib.set_aside import each

log = structlog.get_logger(__name__)

BLIND_AFTER_S = LOST_AFTER_S - HEARTBEAT_S
"""A shorter interruption makes no live node overdue."""


def lose_node(node: Node, at: datetime) -> None:
    """Mark the node last: if this leader dies before, the next one continues."""
    orphaned = orphan(node.name, at, cause=Cause.NODE_LOST, since=node.heartbeat_at)
    if membership.mark_lost(node):
        log.warning("node_lost", node=node.name, host=node.host, last_heartbeat=node.heartbeat_at, orphaned=orphaned)


class NodeWatch:
    """Finds nodes without a heartbeat.

    After an interruption (database unavailable, process suspended, new leader, clock change) it waits again, because a
    missing heartbeat proves nothing while it did not check.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._checked_at = -BLIND_AFTER_S
        self._steps = db_clock().steps
        self._judges_from = 0.0

    def as_pass(self) -> OccasionalPass:
        return OccasionalPass(self.check, [lambda at: Node.objects.overdue()], when_idle=self.note_check)

    def check(self, at: datetime) -> None:
        is_judging = self._monotonic() >= self._waits_until()
        overdue = list(Node.objects.overdue()) if is_judging else []
        # After a clock change every heartbeat looks old.
        if overdue and db_clock().is_running() and self._steps == db_clock().steps:
            each(overdue, lambda node: lose_node(node, at), loop="nodes")
        self._checked_at = self._monotonic()

    def note_check(self) -> None:
        """Take note that no node is overdue."""
        self._waits_until()
        self._checked_at = self._monotonic()

    def _waits_until(self) -> float:
        """Wait again if checks were interrupted since the last one."""
        now = self._monotonic()
        if now - self._checked_at >= BLIND_AFTER_S or self._steps != db_clock().steps:
            self._judges_from, self._steps = now + LOST_AFTER_S, db_clock().steps
        return self._judges_from
