"""Clients of the release before: terminals that report and boot, and a person who reads pages."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException

from benchmarks.load.commands import Dial
from benchmarks.load.terminals.dialling import dial
from benchmarks.load.terminals.terminal import Terminal
from benchmarks.systems.address import Address

PAGES = ("/", "/terminals/", "/alerts/")
DIALS_AT_ONCE = 16
BOOT_EVERY_S = 0.5
PAGE_EVERY_S = 0.2
TIMEOUT_S = 90
ACKNOWLEDGED_WITHIN_S = 10


class Clients:
    """`begin` connects them; `read_figures` returns what happened since it was called last."""

    def __init__(self, address: Address, uids: Sequence[str], number: int) -> None:
        self._address = address
        self._first, self._others = uids[:number], list(uids[number:])
        self._terminals: list[Terminal] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._waits: dict[str, list[float]] = {}
        self._errors = Counter[str]()

    async def begin(self) -> None:
        self._terminals, outcome = await dial(self._address, Dial(tuple(self._first), DIALS_AT_ONCE, ""))
        if outcome.failures:
            raise RuntimeError(outcome.failures[0])
        for terminal in self._terminals:
            self._follow(terminal)
        self._tasks = [asyncio.create_task(work()) for work in (self._report, self._boot, self._read)]

    async def end(self) -> int:
        """Stop, and close the links once all reports are acknowledged. Returns how many are not in time."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ACKNOWLEDGED_WITHIN_S):
                while self.waiting:  # noqa: ASYNC110  # as cheap as an event
                    await asyncio.sleep(0.05)
        waiting = self.waiting
        for terminal in self._terminals:
            terminal.lost = None
            terminal.leave()
        return waiting

    def read_figures(self) -> dict[str, tuple[int, float]]:
        """The number and the longest wait in seconds by what was done; errors have no wait. Resets both."""
        figures = {what: (len(waits), max(waits)) for what, waits in self._waits.items() if waits}
        figures |= {f"error: {what}": (number, 0.0) for what, number in self._errors.items()}
        self._waits, self._errors = {}, Counter()
        return figures

    @property
    def waiting(self) -> int:
        """Reports that are not acknowledged."""
        return sum(len(terminal.waiting) for terminal in self._terminals)

    def acknowledged(self, terminal: Terminal, intended_at: float, at: float) -> None:
        self._waited("report", at - intended_at)

    def _follow(self, terminal: Terminal) -> None:
        terminal.tally, terminal.lost = self, self._lost

    def _lost(self, terminal: Terminal) -> None:
        self._errors["link lost"] += 1

    def _waited(self, what: str, seconds: float) -> None:
        self._waits.setdefault(what, []).append(seconds)

    async def _report(self) -> None:
        while True:
            began = time.monotonic()
            for number, terminal in enumerate(self._terminals):
                terminal.report(time.monotonic())
                if number % 10 == 9:
                    await asyncio.sleep(max(0.0, began + (number + 1) / len(self._terminals) - time.monotonic()))

    async def _boot(self) -> None:
        """Boots change the row of a terminal."""
        while self._others:
            began = time.monotonic()
            made, outcome = await dial(self._address, Dial((self._others.pop(),), 1, ""))
            for failure in outcome.failures:
                self._errors[f"boot: {failure.partition(': ')[2]}"] += 1
            for terminal in made:
                self._waited("boot", time.monotonic() - began)
                self._terminals.append(terminal)
                self._follow(terminal)
            await asyncio.sleep(BOOT_EVERY_S)

    async def _read(self) -> None:
        turn = 0
        while True:
            path, began = PAGES[turn % len(PAGES)], time.monotonic()
            try:
                status = await asyncio.to_thread(self._get, path)
            except (OSError, HTTPException) as error:
                status = 0
                self._errors[f"{path}: {type(error).__name__}"] += 1
            if status not in (0, 200):
                self._errors[f"{path}: HTTP {status}"] += 1
            self._waited("page", time.monotonic() - began)
            turn += 1
            await asyncio.sleep(PAGE_EVERY_S)

    def _get(self, path: str) -> int:
        connection = HTTPConnection(self._address.host, self._address.ports[0], timeout=TIMEOUT_S)
        try:
            connection.request("GET", path, headers={"Cookie": self._address.cookie})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()
