"""TMS's ASGI server: daphne or uvicorn, each with bounded input and output, monotonic timers, handshakes that can be
denied, an acceptor that stops listening before the process is full, and a drain.

Nothing of either is patched: each hook is a subclass in a place that Twisted, autobahn, daphne and uvicorn offer for
one. The parts of their source that this leans on are hashed in `tests/server/relied.json`.
"""

from tms.server.base.acceptor import CannotListen, PortInUse
from tms.server.base.connection import Connection
from tms.server.base.counters import Counters, Event
from tms.server.base.flow import Flow
from tms.server.base.interface import NewServer, Server
from tms.server.choice import chosen

__all__ = [
    "CannotListen",
    "Connection",
    "Counters",
    "Event",
    "Flow",
    "NewServer",
    "PortInUse",
    "Server",
    "chosen",
]
