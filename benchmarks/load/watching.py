"""Boards that are open, and one terminal whose changes are timed until they show them."""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Callable

from benchmarks.fleet import PROBE
from benchmarks.load.board import Board
from benchmarks.load.client import Client
from benchmarks.load.client_protocol import STATUSES
from benchmarks.load.dialling import call, connect
from benchmarks.load.orders import Heard, Listen, Open, Spot, Spotted, Watch, Watched
from benchmarks.load.span import Span
from benchmarks.load.terminal import Terminal
from benchmarks.systems.address import Address


class Watcher:
    def __init__(self, address: Address, order: Open) -> None:
        self.made_at: list[float] = []
        """When each of the probe's changes was to be made."""
        self.probe = Terminal(address.protocol, PROBE)
        self.boards = [Board(address.protocol, path, self.made_at) for path in order.paths]

    @classmethod
    async def open(cls, address: Address, order: Open) -> "Watcher":
        watcher = cls(address, order)
        await call(address, watcher.probe, order.source)
        for turn, board in enumerate(watcher.boards):
            base = address.base(turn)
            headers = {"Cookie": address.cookie, "Origin": f"http://{base}"}
            await connect(base, board, board.path.path, headers.items(), order.source)
        return watcher

    async def watch(self, order: Watch) -> Watched:
        self._count_within(order.span)
        await self._change(order)
        await _until(lambda: not any(board.is_behind for board in self.boards), time.monotonic() + order.patience_s)
        return self._outcome(order)

    async def listen(self, order: Listen) -> Heard:
        self._count_within(order.span)
        await asyncio.sleep(max(0.0, order.span.end_at - time.monotonic()))
        boards, frames, size = Counter[str](), Counter[str](), Counter[str]()
        for board in self.boards:
            path = board.path.path
            boards[path] += 1
            frames[path] += board.frames
            size[path] += board.bytes
        return Heard(dict(boards), dict(frames), dict(size))

    async def spot(self, order: Spot) -> Spotted:
        for board in self.boards:
            board.patterns = [re.compile(pattern, re.DOTALL) for pattern in order.patterns]
        await _until(lambda: not any(board.patterns for board in self.boards), order.until)
        spotted = Spotted()
        for board in self.boards:
            times = spotted.at.setdefault(board.path.path, [])
            times += [] if board.patterns else [board.spotted_at]
            board.patterns = []
        return spotted

    def hang_up(self) -> None:
        clients: list[Client] = [self.probe, *self.boards]
        for client in clients:
            client.leave()

    def _count_within(self, span: Span) -> None:
        for board in self.boards:
            board.count_within(span)

    async def _change(self, order: Watch) -> None:
        """Change the probe's status in open loop, out of step with whatever interval the server works at."""
        due_at = time.monotonic()
        while (due_at := due_at + order.period_s * random.uniform(0.75, 1.25)) < order.span.end_at:
            await asyncio.sleep(max(0.0, due_at - time.monotonic()))
            number = len(self.made_at)
            self.made_at.append(due_at)
            self.probe.report(due_at, STATUSES[number % len(STATUSES)], number)

    def _outcome(self, order: Watch) -> Watched:
        ended_at = time.monotonic()
        timed = [number for number, at in enumerate(self.made_at) if at in order.span]
        watched = Watched(made_at=list(self.made_at))
        for board in self.boards:
            watched.frames += board.frames
            watched.bytes += board.bytes
            watched.lost_boards += not board.is_open
            for number in timed if board.path.is_timed else ():
                is_shown = number < len(board.shown_at)
                watched.unseen += not is_shown
                watched.ages.append((board.shown_at[number] if is_shown else ended_at) - self.made_at[number])
        return watched


async def _until(is_done: Callable[[], bool], deadline: float) -> None:
    # A look now and then disturbs less than a word at each frame.
    while not is_done() and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
