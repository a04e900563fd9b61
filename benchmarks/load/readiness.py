"""Messages to all boards as fast as the server can deliver them."""

import asyncio
import time

from benchmarks.load.board import Board
from benchmarks.load.orders import Herald, Heralded
from benchmarks.systems.address import Address

TURN_S = 0.001


async def herald(address: Address, boards: list[Board], order: Herald) -> Heralded:
    """In closed loop: the slowest board is at most `window` messages behind."""
    protocol = address.protocol
    layer, message = protocol.layer(address.redis_url), protocol.heralded("x" * order.size)
    for board in boards:
        board.count_within(order.span)
    before, sent = _slowest(boards), 0
    while time.monotonic() < order.span.end_at:
        if sent - (_slowest(boards) - before) < order.window:
            await layer.group_send(protocol.herald_group, message)
            sent += 1
        else:
            await asyncio.sleep(TURN_S)
    return Heralded(sent, sum(board.frames for board in boards))


def _slowest(boards: list[Board]) -> int:
    return min(board.received for board in boards)
