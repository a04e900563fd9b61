"""Broadcasts to all boards as fast as the server can deliver."""

import asyncio
import time

from benchmarks.load.boards.board import Board
from benchmarks.load.commands import Broadcast, BroadcastResult
from benchmarks.systems.address import Address

TURN_S = 0.001


async def broadcast(address: Address, boards: list[Board], command: Broadcast) -> BroadcastResult:
    """Broadcast in closed loop: the slowest board is at most `window` messages behind."""
    protocol = address.protocol
    layer, message = protocol.layer(address.redis_url), protocol.broadcast("x" * command.size)
    for board in boards:
        board.count_within(command.span)
    before, sent = _slowest(boards), 0
    while time.monotonic() < command.span.end_at:
        if sent - (_slowest(boards) - before) < command.window:
            await layer.group_send(protocol.broadcast_group, message)
            sent += 1
        else:
            await asyncio.sleep(TURN_S)
    lost = sum(not board.is_open for board in boards)
    return BroadcastResult(sent, sum(board.frames for board in boards), lost)


def _slowest(boards: list[Board]) -> int:
    return min(board.received for board in boards)
