"""The listening socket on asyncio, whose own servers cannot pause."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

from tms.server.base.acceptor import RETRY_LISTEN, Acceptor

log = logging.getLogger(__name__)


class FlowListener:
    """Accepts no more connections than the acceptor has room for."""

    def __init__(self, acceptor: Acceptor, new_protocol: Callable[[], asyncio.Protocol]) -> None:
        self.acceptor, self.new_protocol = acceptor, new_protocol
        self.socket = listening_socket(acceptor)
        self.bound_port: int = self.socket.getsockname()[1]
        self.is_reading = False
        self.coming_in: set[asyncio.Task[None]] = set()

    def accept(self) -> None:
        while self.is_reading and self.acceptor.room > 0:
            try:
                accepted, _ = self.socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # out of descriptors or memory: existing connections need some more than new ones
                log.error("cannot accept: %s; trying again", error)
                self.pause()
                asyncio.get_running_loop().call_later(RETRY_LISTEN, self.acceptor.settle)
                return
            self.acceptor.entered()
            self.begin(accepted)

    def begin(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        task = asyncio.get_running_loop().create_task(self.come_in(accepted))
        self.coming_in.add(task)
        task.add_done_callback(self.coming_in.discard)

    async def come_in(self, accepted: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self.new_protocol, accepted)
        except OSError:  # the client has already disconnected
            accepted.close()
            self.acceptor.left()

    # Called by the acceptor

    def resume(self) -> None:
        if not self.is_reading:
            self.is_reading = True
            asyncio.get_running_loop().add_reader(self.socket, self.accept)

    def pause(self) -> None:
        if self.is_reading:
            self.is_reading = False
            asyncio.get_running_loop().remove_reader(self.socket)

    def close(self, then: Callable[[], None]) -> None:
        self.pause()
        self.socket.close()
        then()


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
