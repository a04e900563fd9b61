"""The TCP side of a connection: writes through, knows its unwritten output, and is counted by the acceptor."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import Any

from twisted.internet import tcp
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from tms.server.base.acceptor import Acceptor


class ListeningPort(tcp.Port):
    """What a connection knows of the socket that accepted it."""

    acceptor: Acceptor


class FlowTransport(tcp.Server):
    """Twisted registers a writer for every write and flushes in the next iteration of the loop: two system calls, a
    callback and an iteration for each message.

    While nothing is buffered, this one sends at once; only what the kernel does not accept is buffered, as in Twisted.
    """

    server: ListeningPort  # Twisted's name for the listening port

    unwritten = 0
    """Bytes passed to write() that the kernel has not accepted yet."""

    blocked_since: float | None = None
    """When the kernel last accepted something; None while nothing is pending, that is while no writer is registered."""

    def __init__(self, *accepted: Any) -> None:
        super().__init__(*accepted)
        del self.logstr, self.repstr  # texts for Twisted's log, unique to each connection
        self.server.acceptor.entered()
        self.server.acceptor.deadlines.connected(self, monotonic())

    def logPrefix(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        return f"<connection {self.sessionno} of {self.hostname}>"

    def connectionLost(self, reason: Failure) -> None:
        was_connected = self.connected  # Twisted may report a loss twice
        super().connectionLost(reason)
        self.server.acceptor.deadlines.discard(self)
        if was_connected:
            self.server.acceptor.left()

    def write(self, data: bytes) -> None:
        if not self.connected:
            return
        self.unwritten += len(data)
        if self.blocked_since is None and not self.disconnecting:
            data = data[self.written_through(data) :]
        if data:
            super().write(data)

    def written_through(self, data: bytes) -> int:
        """How much of `data` the kernel accepted. An error counts as nothing: the writer that is registered next meets
        it again, so that the connection is lost in the reactor instead of in the caller.
        """
        accepted = self.writeSomeData(data)
        return accepted if isinstance(accepted, int) else 0

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        if not self.connected:
            return
        parts = list(iovec)
        self.unwritten += sum(map(len, parts))
        super().writeSequence(parts)

    def writeSomeData(self, data: bytes) -> int | ConnectionLost:
        accepted = super().writeSomeData(data)
        if isinstance(accepted, int):
            self.unwritten -= accepted
            if accepted and self.blocked_since is not None:
                self.blocked_since = monotonic()
        return accepted

    def startWriting(self) -> None:
        if self.blocked_since is None:
            self.blocked_since = monotonic()
            super().startWriting()

    def stopWriting(self) -> None:
        if self.blocked_since is not None:
            self.blocked_since = None
            super().stopWriting()
