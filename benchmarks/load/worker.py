"""A process that makes load. It does one order after the other, and ends with its parent."""

import asyncio
import os
from collections.abc import Collection
from dataclasses import replace
from functools import singledispatchmethod
from multiprocessing.connection import Connection
from typing import Any

import uvloop

from benchmarks.load import dialling, readiness, reporting
from benchmarks.load.keeping import Keeper
from benchmarks.load.orders import (
    BreakOff,
    Churn,
    Dial,
    Dialled,
    HangUp,
    Heard,
    Herald,
    Heralded,
    Keep,
    Kept,
    Listen,
    Look,
    Open,
    Order,
    Painted,
    Reach,
    Refill,
    Report,
    Reported,
    RunLow,
    Saturate,
    Seen,
    Spot,
    Spotted,
    Visit,
    Watch,
    Watched,
    Waver,
)
from benchmarks.load.terminal import Terminal
from benchmarks.load.watching import Watcher
from benchmarks.systems.address import Address


class Worker:
    def __init__(self, address: Address) -> None:
        self.address = address
        self.terminals: list[Terminal] = []
        self.keeper: Keeper | None = None
        self.watcher: Watcher | None = None
        self.visitor: Any = None

    @singledispatchmethod
    async def do(self, order: Order) -> Any:
        raise TypeError(order)

    # Terminals

    @do.register
    async def _(self, order: Dial) -> Dialled:
        terminals, outcome = await dialling.dial(self.address, order)
        self.terminals += terminals
        if self.keeper is not None:
            self.keeper.adopt(terminals)
        return outcome

    @do.register
    async def _(self, order: Report) -> Reported:
        return await reporting.report_steadily(self.terminals, order)

    @do.register
    async def _(self, order: Saturate) -> Reported:
        return await reporting.saturate(self.terminals, order)

    @do.register
    async def _(self, _order: RunLow) -> Reported:
        return await reporting.report_paper(self.terminals, reporting.LOW)

    @do.register
    async def _(self, _order: Refill) -> Reported:
        return await reporting.report_paper(self.terminals, reporting.ENOUGH)

    @do.register
    async def _(self, order: Waver) -> Reported:
        return await reporting.waver(self.terminals, order)

    @do.register
    async def _(self, _order: BreakOff) -> None:
        for terminal in self.terminals:
            terminal.break_off()

    @do.register
    async def _(self, order: Keep) -> None:
        self.keeper = Keeper(self.address, order)
        self.keeper.adopt(self.terminals)

    @do.register
    async def _(self, order: Churn) -> None:
        assert self.keeper is not None
        self.keeper.churn(order)

    @do.register
    async def _(self, order: Reach) -> None:
        self.address = replace(self.address, ports=order.ports)
        if self.keeper is not None:
            self.keeper.address = self.address

    @do.register
    async def _(self, _order: Look) -> Kept:
        assert self.keeper is not None
        return self.keeper.look()

    # Boards

    @do.register
    async def _(self, order: Open) -> None:
        address = replace(self.address, ports=order.ports or self.address.ports)
        self.watcher = await Watcher.open(address, order)

    @do.register
    async def _(self, order: Watch) -> Watched:
        return await self.at_boards.watch(order)

    @do.register
    async def _(self, order: Listen) -> Heard:
        return await self.at_boards.listen(order)

    @do.register
    async def _(self, order: Spot) -> Spotted:
        return await self.at_boards.spot(order)

    @do.register
    async def _(self, order: Herald) -> Heralded:
        return await readiness.herald(self.address, self.at_boards.boards, order)

    @property
    def at_boards(self) -> Watcher:
        assert self.watcher is not None
        return self.watcher

    # A browser

    @do.register
    async def _(self, _order: Visit) -> None:
        from benchmarks.load.browser import Visitor

        self.visitor = await Visitor.come(self.address)

    @do.register
    async def _(self, order: Seen) -> Painted:
        seen: Painted = await self.visitor.seen(order.newest, until=order.until)
        return seen

    @do.register
    async def _(self, _order: HangUp) -> None:
        if self.keeper is not None:
            await self.keeper.close()
        for terminal in self.terminals:
            terminal.leave()
        if self.watcher is not None:
            self.watcher.hang_up()
        if self.visitor is not None:
            await self.visitor.leave()


async def work(address: Address, orders: Connection) -> None:
    worker, loop = Worker(address), asyncio.get_running_loop()
    while True:
        try:
            order = await loop.run_in_executor(None, orders.recv)
        except EOFError:
            return
        try:
            answer = await worker.do(order)
        except Exception as error:  # noqa: BLE001 - raised again where the order came from
            answer = RuntimeError(repr(error))
        orders.send(answer)


def main(address: Address, orders: Connection, cores: Collection[int]) -> None:
    os.sched_setaffinity(0, cores)
    uvloop.run(work(address, orders))
