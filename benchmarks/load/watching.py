"""Boards that are open, and one terminal whose changes are timed until they show them."""

import asyncio
import random
import time
from itertools import cycle, islice

from benchmarks.fleet import PROBE
from benchmarks.load.board import Board
from benchmarks.load.client import Client
from benchmarks.load.dialect import STATUSES
from benchmarks.load.dialling import call, connect
from benchmarks.load.orders import Open, Watch, Watched
from benchmarks.load.terminal import Terminal
from benchmarks.systems.address import Address


class Watcher:
    def __init__(self, address: Address, boards: int) -> None:
        self.made_at: list[float] = []
        """When each of the probe's changes was to be made."""
        self.probe = Terminal(address.dialect)
        paths = islice(cycle(address.dialect.board_paths), boards)
        self.boards = [Board(address.dialect, path, self.made_at) for path in paths]

    @classmethod
    async def open(cls, address: Address, order: Open) -> "Watcher":
        watcher = cls(address, order.boards)
        await call(address, watcher.probe, PROBE, order.source)
        headers = {"Cookie": address.cookie, "Origin": address.origin}
        for board in watcher.boards:
            await connect(address, board, board.path.path, headers.items(), order.source)
        return watcher

    async def watch(self, order: Watch) -> Watched:
        for board in self.boards:
            board.count_within(order.span)
        await self._change(order)
        await self._wait_until_shown(order.patience_s)
        return self._outcome(order)

    async def _change(self, order: Watch) -> None:
        """Change the probe's status in open loop, out of step with whatever interval the server works at."""
        due_at = time.monotonic()
        while (due_at := due_at + order.period_s * random.uniform(0.75, 1.25)) < order.span.end_at:
            await asyncio.sleep(max(0.0, due_at - time.monotonic()))
            number = len(self.made_at)
            self.made_at.append(due_at)
            self.probe.report(due_at, STATUSES[number % len(STATUSES)], number)

    async def _wait_until_shown(self, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while any(board.is_behind for board in self.boards) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    def _outcome(self, order: Watch) -> Watched:
        ended_at = time.monotonic()
        timed = [number for number, at in enumerate(self.made_at) if at in order.span]
        watched = Watched(changes=len(timed))
        for board in self.boards:
            watched.frames += board.frames
            watched.bytes += board.bytes
            watched.lost_boards += not board.is_open
            for number in timed if board.path.is_timed else ():
                is_shown = number < len(board.shown_at)
                watched.unseen += not is_shown
                watched.ages.append((board.shown_at[number] if is_shown else ended_at) - self.made_at[number])
        return watched

    def hang_up(self) -> None:
        clients: list[Client] = [self.probe, *self.boards]
        for client in clients:
            client.leave()
