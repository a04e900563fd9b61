"""Nodes that beat no more."""

import time
from collections.abc import Callable
from datetime import datetime

import structlog

from tms.clock.presence_sweep import orphan
from tms.fleet.models import Cause
from tms.fleet.models.node import BEAT_S, LOST_AFTER_S, Node
from tms.fleet.nodes import membership
from tms.lib.db.clock import db_clock
from tms.lib.set_aside import each

log = structlog.get_logger(__name__)

BLIND_AFTER_S = LOST_AFTER_S - BEAT_S
"""A halt that is shorter makes no live node overdue."""


def lose_node(node: Node, at: datetime) -> None:
    """Its mark comes last: a leader that dies before leaves the rest to the next one."""
    orphaned = orphan(node.name, at, cause=Cause.NODE_LOST, since=node.beat_at)
    if membership.mark_lost(node):
        log.warning("node_lost", node=node.name, host=node.host, last_beat=node.beat_at, orphaned=orphaned)


class Watch:
    """Looks for nodes that beat no more. Whoever was blind itself (the database away, the process halted, a new
    leader, a clock that jumped) begins anew: for as long as it did not look, a missing beat proves nothing.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._looked_at = -BLIND_AFTER_S
        self._steps = db_clock.steps
        self._judges_from = 0.0

    def look(self, at: datetime) -> None:
        now = self._monotonic()
        if now - self._looked_at >= BLIND_AFTER_S or self._steps != db_clock.steps:
            self._judges_from, self._steps = now + LOST_AFTER_S, db_clock.steps
        overdue = list(Node.objects.overdue()) if now >= self._judges_from else []
        # By a clock that jumped a moment ago every beat is old.
        if overdue and db_clock.goes_on() and self._steps == db_clock.steps:
            each(overdue, lambda node: lose_node(node, at), loop="nodes")
        self._looked_at = self._monotonic()
