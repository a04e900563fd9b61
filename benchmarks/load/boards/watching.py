"""Open boards, and one terminal whose changes are timed until the boards show them."""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from benchmarks.load.boards.board import Board
from benchmarks.load.client import Client
from benchmarks.load.client_protocol import STATUSES
from benchmarks.load.commands import (
    ChangeTimes,
    CountFrames,
    FindPatterns,
    FrameCounts,
    OpenBoards,
    PatternTimes,
    TimeChanges,
)
from benchmarks.load.span import Span
from benchmarks.load.terminals.dialling import call, connect
from benchmarks.load.terminals.terminal import Terminal
from benchmarks.running.fleet import PROBE
from benchmarks.systems.address import Address


class BoardWatcher:
    def __init__(self, address: Address, command: OpenBoards) -> None:
        self.made_at: list[float] = []
        """The planned time of each of the probe's changes."""
        self.probe = Terminal(address.protocol, PROBE)
        self.boards = [Board(address.protocol, path, self.made_at) for path in command.paths]

    @classmethod
    async def open(cls, address: Address, command: OpenBoards) -> "BoardWatcher":
        watcher = cls(address, command)
        await call(address, watcher.probe, command.source)
        for turn, board in enumerate(watcher.boards):
            base = address.base(turn)
            headers = {"Cookie": address.cookie, "Origin": f"http://{base}"}
            await connect(base, board, board.path.path, headers.items(), command.source)
        return watcher

    async def watch(self, command: TimeChanges) -> ChangeTimes:
        self._count_within(command.span)
        acknowledged = self.probe.acknowledged
        await self._change(command)
        await _until(lambda: not any(board.is_behind for board in self.boards), time.monotonic() + command.patience_s)
        return replace(self._outcome(command), acknowledged=self.probe.acknowledged - acknowledged)

    async def listen(self, command: CountFrames) -> FrameCounts:
        self._count_within(command.span)
        await asyncio.sleep(max(0.0, command.span.end_at - time.monotonic()))
        boards, frames, size = Counter[str](), Counter[str](), Counter[str]()
        for board in self.boards:
            path = board.path.path
            boards[path] += 1
            frames[path] += board.frames
            size[path] += board.bytes
        return FrameCounts(dict(boards), dict(frames), dict(size), self._lost_boards)

    async def spot(self, command: FindPatterns) -> PatternTimes:
        for board in self.boards:
            board.patterns = [re.compile(pattern, re.DOTALL) for pattern in command.patterns]
        await _until(lambda: not any(board.patterns for board in self.boards), command.until)
        spotted = PatternTimes()
        for board in self.boards:
            times = spotted.at.setdefault(board.path.path, [])
            times += [] if board.patterns else [board.spotted_at]
            board.patterns = []
        return spotted

    def close_all(self) -> None:
        clients: list[Client] = [self.probe, *self.boards]
        for client in clients:
            client.leave()

    @property
    def _lost_boards(self) -> int:
        return sum(not board.is_open for board in self.boards)

    def _count_within(self, span: Span) -> None:
        for board in self.boards:
            board.count_within(span)

    async def _change(self, command: TimeChanges) -> None:
        """Change the probe's status in open loop, not synchronised with intervals of the server."""
        due_at = time.monotonic()
        while (due_at := due_at + command.period_s * random.uniform(0.75, 1.25)) < command.span.end_at:
            await asyncio.sleep(max(0.0, due_at - time.monotonic()))
            number = len(self.made_at)
            self.made_at.append(due_at)
            self.probe.report(due_at, STATUSES[number % len(STATUSES)], number)

    def _outcome(self, command: TimeChanges) -> ChangeTimes:
        ended_at = time.monotonic()
        timed = [number for number, at in enumerate(self.made_at) if at in command.span]
        watched = ChangeTimes(made_at=list(self.made_at), lost_boards=self._lost_boards)
        for board in self.boards:
            watched.frames += board.frames
            watched.bytes += board.bytes
            for number in timed if board.path.is_timed else ():
                is_shown = number < len(board.shown_at)
                watched.unseen += not is_shown
                watched.ages.append((board.shown_at[number] if is_shown else ended_at) - self.made_at[number])
        return watched


async def _until(is_done: Callable[[], bool], deadline: float) -> None:
    # Polling costs less than an event for each frame.
    while not is_done() and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
