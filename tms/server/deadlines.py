"""Deadlines for complete requests on HTTP connections, so that none stays open for ever."""

from __future__ import annotations

from collections import Counter

from tms.server.flow import Flow
from tms.server.network import NetworkConnection


class Deadlines:
    """One deadline for each connection that is no WebSocket and whose request is not being answered. Monotonic time."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.until: dict[NetworkConnection, float] = {}
        self.answering: Counter[NetworkConnection] = Counter()
        """Complete requests without a response; several if a client pipelines."""
        self.checked_at = 0.0

    def connected(self, connection: NetworkConnection, now: float) -> None:
        self.until[connection] = now + self.flow.request_timeout

    def began(self, connection: NetworkConnection, now: float) -> None:
        """The first bytes of a request have arrived."""
        if connection in self.until:
            self.until[connection] = min(self.until[connection], now + self.flow.request_timeout)

    def complete(self, connection: NetworkConnection) -> None:
        """A request is complete."""
        self.until.pop(connection, None)
        self.answering[connection] += 1

    def answered(self, connection: NetworkConnection, now: float) -> None:
        """The connection may be reused for the next request."""
        if self.answering[connection] > 1:
            self.answering[connection] -= 1
            return
        del self.answering[connection]
        self.until[connection] = now + self.flow.keep_alive

    def discard(self, connection: NetworkConnection) -> None:
        """The connection ended, or became a WebSocket."""
        self.until.pop(connection, None)
        del self.answering[connection]

    def connections(self) -> list[NetworkConnection]:
        return [*self.until, *self.answering]

    def overdue(self, now: float) -> list[NetworkConnection]:
        """Connections to drop; called once a second."""
        if now - self.checked_at < 1:
            return []
        self.checked_at = now
        return [connection for connection, until in self.until.items() if until <= now]
