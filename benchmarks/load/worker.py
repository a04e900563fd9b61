"""A process that makes load. It does one order after the other, and ends with its parent."""

import asyncio
import os
from collections.abc import Collection
from functools import singledispatchmethod
from multiprocessing.connection import Connection
from typing import Any

import uvloop

from benchmarks.load import dialling, reporting
from benchmarks.load.orders import Dial, Dialled, HangUp, Open, Order, Report, Reported, Saturate, Watch, Watched
from benchmarks.load.terminal import Terminal
from benchmarks.load.watching import Watcher
from benchmarks.systems.address import Address


class Worker:
    def __init__(self, address: Address) -> None:
        self.address = address
        self.terminals: list[Terminal] = []
        self.watcher: Watcher | None = None

    @singledispatchmethod
    async def do(self, order: Order) -> Any:
        raise TypeError(order)

    @do.register
    async def _(self, order: Dial) -> Dialled:
        terminals, outcome = await dialling.dial(self.address, order)
        self.terminals += terminals
        return outcome

    @do.register
    async def _(self, order: Report) -> Reported:
        return await reporting.report_steadily(self.terminals, order)

    @do.register
    async def _(self, order: Saturate) -> Reported:
        return await reporting.saturate(self.terminals, order)

    @do.register
    async def _(self, order: Open) -> None:
        self.watcher = await Watcher.open(self.address, order)

    @do.register
    async def _(self, order: Watch) -> Watched:
        assert self.watcher is not None
        return await self.watcher.watch(order)

    @do.register
    async def _(self, _order: HangUp) -> None:
        for terminal in self.terminals:
            terminal.leave()
        if self.watcher is not None:
            self.watcher.hang_up()


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
            answer = error
        orders.send(answer)


def main(address: Address, orders: Connection, cores: Collection[int]) -> None:
    os.sched_setaffinity(0, cores)
    uvloop.run(work(address, orders))
