"""A process of the load generator. It runs one command after the other, and ends with its parent."""

import asyncio
import os
from collections.abc import Collection
from dataclasses import replace
from functools import singledispatchmethod
from multiprocessing.connection import Connection
from typing import Any

import uvloop

from benchmarks.load.boards import broadcasting
from benchmarks.load.boards.watching import BoardWatcher
from benchmarks.load.commands import (
    Alternate,
    Broadcast,
    BroadcastResult,
    ChangeTimes,
    Churn,
    CloseAll,
    ConnectionCounts,
    CountFrames,
    Dial,
    Dialled,
    DropLinks,
    FindPatterns,
    FrameCounts,
    KeepConnected,
    LoadCommand,
    OpenBoards,
    OpenBrowser,
    PaintTimes,
    PatternTimes,
    ReadConnections,
    ReadPaints,
    Refill,
    Report,
    Reported,
    RunLow,
    Saturate,
    SetPorts,
    TimeChanges,
)
from benchmarks.load.terminals import dialling, reporting
from benchmarks.load.terminals.keeping import ConnectedTerminals
from benchmarks.load.terminals.terminal import Terminal
from benchmarks.systems.address import Address


class Worker:
    def __init__(self, address: Address) -> None:
        self.address = address
        self.terminals: list[Terminal] = []
        self.keeper: ConnectedTerminals | None = None
        self.watcher: BoardWatcher | None = None
        self.browser: Any = None

    @singledispatchmethod
    async def do(self, command: LoadCommand) -> Any:
        raise TypeError(command)

    # Terminals

    @do.register
    async def _(self, command: Dial) -> Dialled:
        terminals, outcome = await dialling.dial(self.address, command)
        self.terminals += terminals
        if self.keeper is not None:
            self.keeper.adopt(terminals)
        return outcome

    @do.register
    async def _(self, command: Report) -> Reported:
        return await reporting.report_steadily(self.terminals, command)

    @do.register
    async def _(self, command: Saturate) -> Reported:
        return await reporting.saturate(self.terminals, command)

    @do.register
    async def _(self, _order: RunLow) -> Reported:
        return await reporting.report_paper(self.terminals, reporting.LOW)

    @do.register
    async def _(self, _order: Refill) -> Reported:
        return await reporting.report_paper(self.terminals, reporting.ENOUGH)

    @do.register
    async def _(self, command: Alternate) -> Reported:
        return await reporting.waver(self.terminals, command)

    @do.register
    async def _(self, _order: DropLinks) -> None:
        for terminal in self.terminals:
            terminal.drop()

    @do.register
    async def _(self, command: KeepConnected) -> None:
        self.keeper = ConnectedTerminals(self.address, command)
        self.keeper.adopt(self.terminals)

    @do.register
    async def _(self, command: Churn) -> None:
        assert self.keeper is not None
        self.keeper.churn(command)

    @do.register
    async def _(self, command: SetPorts) -> None:
        self.address = replace(self.address, ports=command.ports)
        if self.keeper is not None:
            self.keeper.address = self.address

    @do.register
    async def _(self, _order: ReadConnections) -> ConnectionCounts:
        assert self.keeper is not None
        return self.keeper.read_counts()

    # Boards

    @do.register
    async def _(self, command: OpenBoards) -> None:
        address = replace(self.address, ports=command.ports or self.address.ports)
        self.watcher = await BoardWatcher.open(address, command)

    @do.register
    async def _(self, command: TimeChanges) -> ChangeTimes:
        return await self.at_boards.watch(command)

    @do.register
    async def _(self, command: CountFrames) -> FrameCounts:
        return await self.at_boards.listen(command)

    @do.register
    async def _(self, command: FindPatterns) -> PatternTimes:
        return await self.at_boards.spot(command)

    @do.register
    async def _(self, command: Broadcast) -> BroadcastResult:
        return await broadcasting.broadcast(self.address, self.at_boards.boards, command)

    @property
    def at_boards(self) -> BoardWatcher:
        assert self.watcher is not None
        return self.watcher

    # A browser

    @do.register
    async def _(self, _order: OpenBrowser) -> None:
        from benchmarks.load.boards.browser import BrowserPage

        self.browser = await BrowserPage.open(self.address)

    @do.register
    async def _(self, command: ReadPaints) -> PaintTimes:
        seen: PaintTimes = await self.browser.seen(command.newest, until=command.until)
        return seen

    @do.register
    async def _(self, _order: CloseAll) -> None:
        if self.keeper is not None:
            await self.keeper.close()
        for terminal in self.terminals:
            terminal.leave()
        if self.watcher is not None:
            self.watcher.close_all()
        if self.browser is not None:
            await self.browser.leave()


async def work(address: Address, commands: Connection) -> None:
    worker, loop = Worker(address), asyncio.get_running_loop()
    while True:
        try:
            command = await loop.run_in_executor(None, commands.recv)
        except EOFError:
            return
        try:
            answer = await worker.do(command)
        except Exception as error:  # noqa: BLE001 - raised again in the process that sent the command
            answer = RuntimeError(repr(error))
        commands.send(answer)


def main(address: Address, commands: Connection, cores: Collection[int]) -> None:
    os.sched_setaffinity(0, cores)
    uvloop.run(work(address, commands))
