"""Until when each HTTP connection must have sent a complete request, so that nobody holds one for ever."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from tms.server.base.flow import Flow


class Owing(Protocol):
    """A connection that owes a request."""

    def __hash__(self) -> int: ...


class Deadlines:
    """One of each connection that is no WebSocket and whose request is not being answered. Instants are monotonic."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.until: dict[Owing, float] = {}
        self.answering: Counter[Owing] = Counter()
        """Complete requests that were not answered yet; several, when a client does not wait for answers."""
        self.looked_at = 0.0

    def connected(self, who: Owing, now: float) -> None:
        self.until[who] = now + self.flow.request_timeout

    def begun(self, who: Owing, now: float) -> None:
        """The first bytes of a request are here."""
        if who in self.until:
            self.until[who] = min(self.until[who], now + self.flow.request_timeout)

    def complete(self, who: Owing) -> None:
        """A request is complete, and will be answered."""
        self.until.pop(who, None)
        self.answering[who] += 1

    def answered(self, who: Owing, now: float) -> None:
        """The connection may be kept for the next request."""
        if self.answering[who] > 1:
            self.answering[who] -= 1
            return
        del self.answering[who]
        self.until[who] = now + self.flow.keep_alive

    def forget(self, who: Owing) -> None:
        """It ended, or became a WebSocket."""
        self.until.pop(who, None)
        del self.answering[who]

    def overdue(self, now: float) -> list[Owing]:
        """Those that are to be dropped; looked for once a second."""
        if now - self.looked_at < 1:
            return []
        self.looked_at = now
        return [who for who, until in self.until.items() if until <= now]
