"""TMS's ASGI server: daphne with bounded input and output, monotonic timers, handshakes that can be denied, a door
that closes before the process is full, and a drain.

Import this package before anything that imports daphne or Twisted: its reactor is installed by the first import.
Nothing is patched: each hook is a subclass in a place that Twisted, autobahn and daphne offer for one. The parts of
their source that this leans on are hashed in `tests/server/relied.json`.
"""

from tms.server import reactor  # isort: skip  (first: it installs the reactor)

from tms.server.connection import Connection
from tms.server.counts import Counters, Event
from tms.server.door import CannotListen, PortInUse
from tms.server.flow import Flow
from tms.server.server import FlowServer

__all__ = ["CannotListen", "Connection", "Counters", "Event", "Flow", "FlowServer", "PortInUse", "reactor"]
