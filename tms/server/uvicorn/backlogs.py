"""Connections with unwritten output, and since when they are blocked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from tms.server.base.counters import Event


class BufferedConnection(Protocol):
    """A connection whose reader is slow."""

    written: int
    """Bytes passed to the transport."""

    @property
    def unwritten(self) -> int:
        """Bytes of them that the kernel has not accepted yet."""

    def drop(self, why: Event) -> None: ...


@dataclass(slots=True)
class Backlog:
    accepted: int
    since: float


class Backlogs:
    """Connections of a process with unwritten output; only those are checked periodically."""

    def __init__(self, longest: float) -> None:
        self.longest = longest
        self.pending: dict[BufferedConnection, Backlog] = {}

    def began(self, connection: BufferedConnection) -> None:
        self.pending[connection] = Backlog(accepted_by(connection), monotonic())

    def ended(self, connection: BufferedConnection) -> None:
        self.pending.pop(connection, None)

    def stuck(self, now: float) -> Iterator[BufferedConnection]:
        """Those whose reader accepted nothing for too long."""
        for connection, backlog in list(self.pending.items()):
            accepted = accepted_by(connection)
            if accepted > backlog.accepted:
                backlog.accepted, backlog.since = accepted, now
            elif now - backlog.since >= self.longest:
                yield connection


def accepted_by(connection: BufferedConnection) -> int:
    return connection.written - connection.unwritten
