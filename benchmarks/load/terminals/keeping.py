"""Terminals that stay connected and report indefinitely, like a fleet of agents."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterable

from picows import WSError

from benchmarks.load.commands import Churn, ConnectionCounts, KeepConnected
from benchmarks.load.terminals.dialling import call_any
from benchmarks.load.terminals.terminal import Terminal
from benchmarks.systems.address import Address

FIRST_S, LONGEST_S = 1.0, 60.0
"""As in the agent: a random part of the total wait so far."""


class ConnectedTerminals:
    def __init__(self, address: Address, command: KeepConnected) -> None:
        self.address = address
        self.command = command
        self.terminals: list[Terminal] = []
        self.counts = ConnectionCounts()
        self.refusals = Counter[str]()
        self._gate = asyncio.Semaphore(command.at_once)
        self._is_closing = False
        self._returns: set[asyncio.Task[None]] = set()
        self._reporting = asyncio.get_running_loop().create_task(self._report())
        self._churning: asyncio.Task[None] | None = None

    def adopt(self, terminals: Iterable[Terminal]) -> None:
        for terminal in terminals:
            terminal.tally, terminal.lost = self, self._lost
            self.terminals.append(terminal)
            if not terminal.is_open:
                self._lost(terminal)

    def churn(self, command: Churn) -> None:
        self._churning = asyncio.get_running_loop().create_task(self._churn(command.per_second))

    def read_counts(self) -> ConnectionCounts:
        """Return the counts, and reset them."""
        counts, self.counts = self.counts, ConnectionCounts()
        counts.online = sum(terminal.is_open for terminal in self.terminals)
        counts.waiting = sum(len(terminal.waiting) for terminal in self.terminals)
        counts.refusals, self.refusals = dict(self.refusals), Counter()
        return counts

    async def close(self) -> None:
        self._is_closing = True
        tasks = [self._reporting, *self._returns, *([self._churning] if self._churning else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def acknowledged(self, terminal: Terminal, intended_at: float, at: float) -> None:
        self.counts.due_at.append(intended_at)
        self.counts.latencies.append(at - intended_at)

    async def _report(self) -> None:
        """In open loop, one terminal after the other, each once a period."""
        due_at, index = time.monotonic(), 0
        while True:
            due_at += self.command.period_s / max(1, len(self.terminals))
            await asyncio.sleep(max(0.0, due_at - time.monotonic()))
            if self.terminals:
                index = (index + 1) % len(self.terminals)
                self.terminals[index].report(due_at)

    async def _churn(self, per_second: float) -> None:
        while True:
            await asyncio.sleep(random.expovariate(per_second))
            if self.terminals:
                random.choice(self.terminals).drop()

    def _lost(self, terminal: Terminal) -> None:
        if self._is_closing:
            return
        self.counts.lost_at.append(time.monotonic())
        task = asyncio.get_running_loop().create_task(self._return(terminal))
        self._returns.add(task)
        task.add_done_callback(self._returns.discard)

    async def _return(self, terminal: Terminal) -> None:
        waited_s = 0.0
        while not terminal.is_open:
            wait_s = random.random() * min(max(FIRST_S, waited_s), LONGEST_S)
            waited_s += wait_s
            await asyncio.sleep(wait_s)
            await self._try(terminal)
        self.counts.back_at.append(time.monotonic())
        terminal.report_again()

    async def _try(self, terminal: Terminal) -> None:
        """Any of the server's processes, in random order, because the terminal cannot know which one is down."""
        turns = random.sample(range(len(self.address.ports)), len(self.address.ports))
        try:
            async with self._gate:
                passed_over = await call_any(self.address, terminal, self.command.source, turns)
            self.refusals["passed over"] += passed_over
        except (WSError, OSError, TimeoutError) as error:
            self.refusals[type(error).__name__] += 1
            terminal.drop()
