"""Heartbeats of this process among the nodes, from its own thread, independent of a busy event loop."""

import threading
import time
from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import DatabaseError, InterfaceError, connection

from tms.fleet.models.node import HEARTBEAT_S
from tms.fleet.nodes.membership import Membership
from tms.lib.db.clock import db_clock

log = structlog.get_logger(__name__)

NAME_LOST = "another process took its name"


class NodeHeartbeat:
    """Joins the nodes, records heartbeats until it stops, reports drain and leave. Calls block for a few statements."""

    def __init__(self, name: str, *, links: Callable[[], int]) -> None:
        self._membership = Membership(name)
        self._links = links
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="node-heartbeat", daemon=True)
        self._recorded_at = 0.0
        self._is_own_name = True

    @property
    def problem(self) -> str:
        """The problem in words; empty if there is none."""
        if not self._is_own_name:
            return NAME_LOST
        late = time.monotonic() - self._recorded_at
        return f"no heartbeat written for {late:.0f} s" if late > 3 * HEARTBEAT_S else ""

    def start(self) -> datetime | None:
        """Join the nodes and start. Returns the last heartbeat of this name's former process. Raises NameTaken."""
        before = self._membership.join()
        db_clock().synchronise()
        self._recorded_at = time.monotonic()
        self._thread.start()
        return before

    def drain(self) -> None:
        self._try(lambda: self._membership.drain(links=self._links(), at=db_clock().now()))

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._try(self._membership.leave)

    def _run(self) -> None:
        while not self._stopping.wait(HEARTBEAT_S):
            self._try(self._record)
        connection.close()

    def _record(self) -> None:
        is_own_name = self._membership.record_heartbeat(links=self._links())
        db_clock().synchronise()
        if self._is_own_name and not is_own_name:
            log.critical("node_name_taken", node=self._membership.name, why=NAME_LOST)
        self._is_own_name = is_own_name
        self._recorded_at = time.monotonic()

    def _try(self, statement: Callable[[], object]) -> None:
        """A failed write is not retried: the next heartbeat follows, and a missing goodbye is noticed by the clock.

        No error ends the thread: without heartbeats, this node would be declared lost, with all of its terminals.
        """
        try:
            statement()
        except Exception as error:
            is_away = isinstance(error, DatabaseError | InterfaceError)
            log.warning("node_heartbeat_failed", error=str(error).strip(), exc_info=None if is_away else error)
            connection.close()
