"""Starts and stops the objects of this process, in order.

A start may be repeated, from the event loop: an ASGI server that runs no lifespan hooks starts links and boards with
the first socket.
"""

from tms.boards.live.board_hub import BoardHub, board_hub
from tms.feed.hub import hub
from tms.feed.publisher import feed
from tms.ingest.gateway import Gateway, gateway
from tms.runtime.listeners import ProcessRole, register, unregister


def start_links() -> Gateway:
    _follow_feed(ProcessRole.SERVE)
    gateway().start()
    return gateway()


def start_boards() -> BoardHub:
    _follow_feed(ProcessRole.BOARDS)
    board_hub().start()
    return board_hub()


def start_clock() -> None:
    """What the clock follows; `tms.clock.scheduler` runs its jobs."""
    _follow_feed(ProcessRole.CLOCK)


async def stop_boards() -> None:
    unregister(ProcessRole.BOARDS)
    await board_hub().stop()
    board_hub.reset()


async def stop_feed() -> None:
    """Last, so that everything published until now is sent."""
    await hub().stop()
    await feed().detach()


def _follow_feed(role: ProcessRole) -> None:
    register(role)
    hub().start()
