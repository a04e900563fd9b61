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
    """Twisted registers a writer for every write and flushes one turn of the loop later: two system calls, a
    callback and a turn for each message. While nothing is buffered, this one sends at once; only what the kernel
    refuses is buffered, as in Twisted.
    """

    server: ListeningPort  # what Twisted calls the listening port

    unwritten = 0
    """Bytes that were handed to write() and that the kernel has not taken yet."""

    blocked_since: float | None = None
    """When the kernel last took something; None while nothing waits, that is while no writer is registered."""

    def __init__(self, *accepted: Any) -> None:
        super().__init__(*accepted)
        self.server.acceptor.entered()
        self.server.acceptor.deadlines.connected(self, monotonic())

    def connectionLost(self, reason: Failure) -> None:
        was_connected = self.connected  # Twisted may report a loss twice
        super().connectionLost(reason)
        self.server.acceptor.deadlines.forget(self)
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
        """How much of `data` the kernel took.

        An error counts as nothing: the writer that is registered next meets it again, and the connection is lost
        by the reactor instead of inside the caller.
        """
        taken = self.writeSomeData(data)
        return taken if isinstance(taken, int) else 0

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        if not self.connected:
            return
        parts = list(iovec)
        self.unwritten += sum(map(len, parts))
        super().writeSequence(parts)

    def writeSomeData(self, data: bytes) -> int | ConnectionLost:
        taken = super().writeSomeData(data)
        if isinstance(taken, int):
            self.unwritten -= taken
            if taken and self.blocked_since is not None:
                self.blocked_since = monotonic()
        return taken

    def startWriting(self) -> None:
        if self.blocked_since is None:
            self.blocked_since = monotonic()
            super().startWriting()

    def stopWriting(self) -> None:
        if self.blocked_since is not None:
            self.blocked_since = None
            super().stopWriting()
