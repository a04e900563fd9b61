"""Connections with unwritten output, and since when they are blocked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tms.server.network import NetworkConnection


@dataclass(slots=True)
class Backlog:
    accepted: int
    """Bytes that the kernel has accepted in all."""
    since: float
    """When it last accepted some."""


class Backlogs:
    """Connections of a process with unwritten output; only those are checked periodically."""

    def __init__(self, longest: float) -> None:
        self.longest = longest
        self.pending: dict[NetworkConnection, Backlog] = {}

    def began(self, connection: NetworkConnection) -> None:
        self.pending[connection] = Backlog(connection.accepted, monotonic())

    def ended(self, connection: NetworkConnection) -> None:
        self.pending.pop(connection, None)

    def stuck(self, now: float) -> Iterator[NetworkConnection]:
        """The connections whose reader accepted nothing for too long."""
        for connection, backlog in list(self.pending.items()):
            if connection.accepted > backlog.accepted:
                backlog.accepted, backlog.since = connection.accepted, now
            elif now - backlog.since >= self.longest:
                yield connection
