"""TMS's ASGI server: daphne with bounded input and output, monotonic timers, denied handshakes, an
acceptor that stops listening before the process is full, and a drain.

No library is patched: each hook is a subclass at an extension point of Twisted, autobahn or daphne. The
parts of their source that this depends on are hashed in `tests/server/relied.json`.
"""

from tms.server.base.acceptor import CannotListen, PortInUse
from tms.server.base.connection import Connection
from tms.server.base.counters import Counters, Event
from tms.server.base.flow import Flow
from tms.server.base.interface import Server

__all__ = [
    "CannotListen",
    "Connection",
    "Counters",
    "Event",
    "Flow",
    "PortInUse",
    "Server",
]
