"""The listening socket. Those of asyncio and Twisted cannot pause."""

from __future__ import annotations

import asyncio
import logging
import socket
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tms.server.acceptor import Acceptor

log = logging.getLogger(__name__)

RETRY_LISTEN_S = 1.0


class Listener:
    """Accepts no more connections than the acceptor has room for. Initially paused; raises OSError."""

    def __init__(self, acceptor: Acceptor) -> None:
        self.acceptor = acceptor
        self.socket = listening_socket(acceptor)
        self.bound_port: int = self.socket.getsockname()[1]
        """The actual port, if 0 was requested."""
        self.is_reading = False
        self.coming_in: set[asyncio.Task[None]] = set()

    def accept(self) -> None:
        """Clients may come faster than they are accepted: open connections have their turn in between."""
        for _ in range(self.acceptor.flow.backlog):
            if not (self.is_reading and self.acceptor.room > 0 and self.accept_one()):
                return

    def accept_one(self) -> bool:
        try:
            accepted, address = self.socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return False
        except OSError as error:  # out of descriptors or memory: existing connections need some more than new ones
            log.error("cannot accept: %s; trying again", error)
            self.pause()
            asyncio.get_running_loop().call_later(RETRY_LISTEN_S, self.acceptor.settle)
            return False
        self.acceptor.entered()
        self.begin(accepted, address)
        return True

    def begin(self, accepted: socket.socket, address: tuple[str, int]) -> None:
        accepted.setblocking(False)
        task = asyncio.get_running_loop().create_task(self.come_in(accepted, address[:2]))
        self.coming_in.add(task)
        task.add_done_callback(self.coming_in.discard)

    async def come_in(self, accepted: socket.socket, address: tuple[str, int]) -> None:
        new_protocol = partial(self.acceptor.new_protocol, address)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(new_protocol, accepted)
        except OSError:  # the client has already disconnected
            accepted.close()
            self.acceptor.left()

    # Called by the acceptor

    def resume(self) -> None:
        if not self.is_reading:
            self.is_reading = True
            asyncio.get_running_loop().add_reader(self.socket, self.accept)

    def pause(self) -> None:
        """Clients wait in the kernel's queue."""
        if self.is_reading:
            self.is_reading = False
            asyncio.get_running_loop().remove_reader(self.socket)

    def close(self) -> None:
        self.pause()
        self.socket.close()


def listening_socket(acceptor: Acceptor) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        acceptor.host, acceptor.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if acceptor.flow.kernel_sndbuf:  # accepted sockets inherit it
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, acceptor.flow.kernel_sndbuf)
        listener.bind(address)
        listener.listen(acceptor.flow.backlog)
    except OSError:
        listener.close()
        raise
    return listener
