"""This process's sign of life among the nodes, from a thread of its own: a busy event loop is no dead node."""

import threading
import time
from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import DatabaseError, InterfaceError, connection

from tms.fleet.models.node import BEAT_S
from tms.fleet.nodes.membership import Membership
from tms.lib.db.clock import db_clock

log = structlog.get_logger(__name__)

NAME_LOST = "another process took its name"


class NodeHeartbeat:
    """Joins the nodes, beats until it stops, and says when it drains and leaves. Its calls block: a few statements."""

    def __init__(self, name: str, *, links: Callable[[], int]) -> None:
        self._membership = Membership(name)
        self._links = links
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._beat_forever, name="pulse", daemon=True)
        self._beat_at = 0.0
        self._is_ours = True

    @property
    def trouble(self) -> str:
        """What is wrong with it, in words; empty when it beats."""
        if not self._is_ours:
            return NAME_LOST
        late = time.monotonic() - self._beat_at
        return f"no beat written for {late:.0f} s" if late > 3 * BEAT_S else ""

    def start(self) -> datetime | None:
        """Join the nodes, and beat. Returns when the process that had the name before was last heard.

        Raises NameTaken.
        """
        before = self._membership.join()
        db_clock.keep()
        self._beat_at = time.monotonic()
        self._thread.start()
        return before

    def drain(self) -> None:
        self._say(lambda: self._membership.drain(links=self._links(), at=db_clock.now()))

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._say(self._membership.leave)

    def _beat_forever(self) -> None:
        while not self._stopping.wait(BEAT_S):
            self._say(self._beat)
        connection.close()

    def _beat(self) -> None:
        is_ours = self._membership.beat(links=self._links())
        db_clock.keep()
        if self._is_ours and not is_ours:
            log.critical("node_name_taken", node=self._membership.name, why=NAME_LOST)
        self._is_ours = is_ours
        self._beat_at = time.monotonic()

    def _say(self, word: Callable[[], object]) -> None:
        """What cannot be written is not tried again: the next beat comes, and a missing goodbye is found out."""
        try:
            word()
        except (DatabaseError, InterfaceError) as error:
            connection.close()
            log.warning("pulse_away", error=str(error).strip())
