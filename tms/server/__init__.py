"""TMS's ASGI server: daphne for the process and for pages, and sockets of its own with bounded input and output,
monotonic timers, denied handshakes, an acceptor that stops listening before the process is full, and a drain.

Nothing is patched: each hook is a subclass at an extension point of daphne. The parts of its source, and of Twisted's
HTTP, that this depends on are hashed in `tests/server/relied.json`.
"""

from tms.server.asgi import Connection
from tms.server.flow import Counters, Event, Flow
from tms.server.listener import CannotListen, PortInUse

__all__ = [
    "CannotListen",
    "Connection",
    "Counters",
    "Event",
    "Flow",
    "PortInUse",
]
