from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.server import ServerState

if TYPE_CHECKING:
    from tms.server.uvicorn.server import UvicornServer


class FlowState(ServerState):
    """What uvicorn hands to each connection; by it they know their server."""

    def __init__(self, server: UvicornServer) -> None:
        super().__init__()
        self.server = server
