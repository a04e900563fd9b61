"""Terminals that stay connected and report indefinitely, like a fleet of agents."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from picows import WSError, WSInvalidStatusError

from benchmarks.load.commands import Churn, ConnectionCounts, KeepConnected
from benchmarks.load.terminals.dialling import call_any
from benchmarks.load.terminals.reconnect import Phase, Reconnect
from benchmarks.load.terminals.terminal import Terminal
from benchmarks.systems.address import Address
from tms_agent.connection.backoff import Backoff
from tms_agent.connection.dialer import retry_after
from tms_agent.connection.link import HandshakeRefused, LinkEnd, TimedOut


class ConnectedTerminals:
    def __init__(self, address: Address, command: KeepConnected, new_backoff: Callable[[], Backoff] = Backoff) -> None:
        self.address = address
        self.command = command
        self._new_backoff = new_backoff
        self.terminals: list[Terminal] = []
        self.counts = ConnectionCounts()
        self.refusals = Counter[str]()
        self._has_terminals = asyncio.Event()
        self._gate = asyncio.Semaphore(command.at_once)
        self._is_closing = False
        self._returns: dict[asyncio.Task[None], Reconnect] = {}
        self._reporting = asyncio.get_running_loop().create_task(self._report())
        self._churning: asyncio.Task[None] | None = None

    def adopt(self, terminals: Iterable[Terminal]) -> None:
        for terminal in terminals:
            terminal.tally, terminal.lost = self, self._lost
            self.terminals.append(terminal)
            self._has_terminals.set()
            if not terminal.is_open:
                self._lost(terminal)

    def churn(self, command: Churn) -> None:
        if self._churning is not None:
            self._churning.cancel()
            self._churning = None
        if command.per_second:
            self._churning = asyncio.get_running_loop().create_task(self._churn(command.per_second))

    def read_counts(self) -> ConnectionCounts:
        """Return the counts, and reset them."""
        counts, self.counts = self.counts, ConnectionCounts()
        counts.online = sum(terminal.is_booted for terminal in self.terminals)
        counts.waiting = sum(len(terminal.waiting) for terminal in self.terminals)
        counts.refusals, self.refusals = dict(self.refusals), Counter()
        counts.pending = Counter(one.phase for one in self._returns.values() if not one.is_back)
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
        """Report in open loop, one terminal after the other, each once a period."""
        await self._has_terminals.wait()
        due_at, index = time.monotonic(), 0
        while True:
            due_at += self.command.period_s / len(self.terminals)
            await asyncio.sleep(max(0.0, due_at - time.monotonic()))
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
        terminal.reconnect = reconnect = Reconnect()
        self.counts.lost_at.append(reconnect.lost_at)
        task = asyncio.get_running_loop().create_task(self._return(terminal, reconnect))
        self._returns[task] = reconnect
        task.add_done_callback(self._returns.pop)

    async def _return(self, terminal: Terminal, reconnect: Reconnect) -> None:
        """Reconnect with the delays of the agent."""
        backoff = self._new_backoff()
        end: LinkEnd | None = LinkEnd()
        while end is not None:
            reconnect.enter(Phase.BACKOFF)
            await asyncio.sleep(backoff.after(end))
            end = await self._try(terminal, reconnect)
        reconnect.end()
        self.counts.returned.append(reconnect)

    async def _try(self, terminal: Terminal, reconnect: Reconnect) -> LinkEnd | None:
        """Any of the server's processes, in random order, because the terminal cannot know which one is down.

        Returns why it failed.
        """
        turns = random.sample(range(len(self.address.ports)), len(self.address.ports))
        reconnect.enter(Phase.LIMIT)
        try:
            async with self._gate:
                reconnect.enter(Phase.HANDSHAKE)
                skipped = await call_any(self.address, terminal, self.command.source, turns)
        except (WSError, OSError, TimeoutError) as error:
            reconnect.fail(type(error).__name__)
            self.refusals[type(error).__name__] += 1
            return link_end(error)
        self.refusals.update(f"skipped, {type(error).__name__}" for error in skipped)
        return None


def link_end(error: Exception) -> LinkEnd:
    """The same failure of a dial, as the agent sees it."""
    if isinstance(error, TimeoutError):
        return TimedOut("no answer in time")
    if isinstance(error, WSInvalidStatusError) and error.response is not None:
        wait_s = retry_after(error.response.headers.get("Retry-After"), at=datetime.now(UTC))
        return HandshakeRefused(error.response.status, retry_after_s=wait_s)
    return LinkEnd()
