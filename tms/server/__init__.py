"""TMS's ASGI server: daphne for the process and for pages, and sockets of its own with bounded input and output,
monotonic timers, denied handshakes, an acceptor that stops listening before the process is full, and a drain.

From top to bottom; a module imports what is below it:

    server                  the process: start, timer, signals, drain
    drain                   its steps: hooks, and the closes of all sockets
    http_connection         a connection; an upgrade makes it a WebSocket, other requests go to pages
    pages | websocket       requests on daphne | the socket of a terminal or board
    deadlines               those of requests
    network                 what both kinds of connections have in common, and share
    acceptor, listener      room for connections | the listening socket
    applications            a task and a queue for each request and socket
    timer_wheel             the timer of all sockets
    asgi, flow, memory      what applications see | limits and counters | garbage collection and malloc

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
