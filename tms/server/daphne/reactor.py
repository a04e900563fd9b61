"""Twisted's reactor of this process. Importing this module installs it, unless one is installed already.

Twisted chooses its reactor at the first import of `twisted.internet.reactor`, and daphne accepts an existing reactor on
asyncio. So this is imported before daphne and anything else that imports Twisted; FlowServer checks that.
"""

import asyncio
import sys
import time

from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.main import installReactor

REACTOR = "twisted.internet.reactor"


class FlowReactor(AsyncioSelectorReactor):
    """Twisted's timers use the wall clock: a clock step stops or fires every timer of Twisted, autobahn and daphne."""

    seconds = staticmethod(time.monotonic)

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        super().__init__(self.loop)


def installed() -> FlowReactor:
    """The reactor of this process. Raises RuntimeError if another one was installed first."""
    reactor = sys.modules[REACTOR]
    if not isinstance(reactor, FlowReactor):
        raise RuntimeError(
            f"{type(reactor).__name__} was installed before the server was chosen; "
            "choose daphne first, before anything imports daphne or uses Twisted"
        )
    return reactor


if REACTOR not in sys.modules:
    installReactor(FlowReactor())
