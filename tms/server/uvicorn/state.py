from __future__ import annotations

import asyncio
from typing import Any, Protocol

from uvicorn.server import ServerState

from tms.server.base.asgi import Application
from tms.server.base.interface import SocketServer
from tms.server.uvicorn.backlogs import Backlogs


class UvicornSocketServer(SocketServer, Protocol):
    """What the connections of a `UvicornServer` know of it."""

    application: Application
    loop: asyncio.AbstractEventLoop
    backlogs: Backlogs
    sockets_inside: dict[Any, None]

    def end_later(self, task: asyncio.Task[None]) -> None: ...

    def discard(self, socket: Any) -> None: ...


class FlowState(ServerState):
    """Passed by uvicorn to each connection, which thereby knows its server."""

    def __init__(self, server: UvicornSocketServer) -> None:
        super().__init__()
        self.server = server
