"""The listening socket. Those of asyncio and Twisted cannot pause."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

from tms.server.flow import Flow


class CannotListen(OSError):
    """The host and port cannot be bound."""

    def __init__(self, host: str, port: int, why: OSError) -> None:
        super().__init__(why.errno, f"cannot listen on {host} port {port}: {why.strerror or why}")
        self.host = host
        self.port = port


class PortInUse(CannotListen):
    """Another process listens there already."""


class Listener:
    """Calls `accept` with itself whenever clients wait. Initially paused; raises PortInUse or CannotListen."""

    def __init__(self, host: str, port: int, flow: Flow, accept: Callable[[Listener], None]) -> None:
        try:
            self.socket = listening_socket(host, port, flow)
        except OSError as error:
            refusal = PortInUse if error.errno == errno.EADDRINUSE else CannotListen
            raise refusal(host, port, error) from None
        self.bound_port: int = self.socket.getsockname()[1]
        """The actual port, if 0 was requested."""
        self.accept = accept
        self.is_reading = False

    def resume(self) -> None:
        if not self.is_reading:
            self.is_reading = True
            asyncio.get_running_loop().add_reader(self.socket, self.accept, self)

    def pause(self) -> None:
        """Clients wait in the kernel's queue."""
        if self.is_reading:
            self.is_reading = False
            asyncio.get_running_loop().remove_reader(self.socket)

    def close(self) -> None:
        self.pause()
        self.socket.close()


def listening_socket(host: str, port: int, flow: Flow) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if flow.kernel_sndbuf:  # accepted sockets inherit it
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, flow.kernel_sndbuf)
        listener.bind(address)
        listener.listen(flow.backlog)
    except OSError:
        listener.close()
        raise
    return listener
