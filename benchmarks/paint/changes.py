"""A fleet of which all terminals are connected, and the changes that are made to it."""

import asyncio
import time
from collections.abc import Sequence
from itertools import count

from benchmarks.load.client_protocol import STATUSES
from benchmarks.load.commands import Dial
from benchmarks.load.terminals.dialling import dial
from benchmarks.load.terminals.terminal import Terminal
from benchmarks.running import fleet
from benchmarks.systems.address import Address

WARNING, CRITICAL = 8, 3
"""Paper in per cent."""
THRESHOLDS = """UPDATE alerts_rule SET watches_flapping = false, hysteresis = 1,
    higher_thresholds = '[{"severity": "critical", "limit": 5}]' WHERE metric = 'paper_pct'"""
"""A change of the rule by which the alert of a terminal that is low on paper becomes worse and better without being
resolved.
"""
DIALS_AT_ONCE = 32
STEP = 37
"""The distance to the terminal of the next change, so that changes are spread over the list."""


class ConnectedFleet:
    def __init__(self, terminals: Sequence[Terminal]) -> None:
        self.terminals = terminals
        self.papers = [WARNING] * len(terminals)
        self._numbers = count()

    @classmethod
    async def connect(cls, address: Address, number: int) -> "ConnectedFleet":
        uids = tuple(fleet.uid(index) for index in range(number))
        terminals, outcome = await dial(address, Dial(uids, DIALS_AT_ONCE, ""))
        if outcome.failures:
            raise RuntimeError(outcome.failures[0])
        return cls(terminals)

    async def run_low(self, *, within_s: float) -> None:
        """Open an alert for each terminal."""
        for index in range(len(self.terminals)):
            self.report(index)
        async with asyncio.timeout(within_s):
            while any(terminal.waiting for terminal in self.terminals):  # noqa: ASYNC110  # as cheap as an event
                await asyncio.sleep(0.05)

    def change_status(self, rows: int = 1) -> None:
        number = next(self._numbers)
        for index in self._spread(number, rows):
            self.report(index, STATUSES[number % len(STATUSES)])

    def change_severity(self, rows: int = 1) -> None:
        for index in self._spread(next(self._numbers), rows):
            self.papers[index] = CRITICAL if self.papers[index] == WARNING else WARNING
            self.report(index)

    def close(self) -> None:
        for terminal in self.terminals:
            terminal.leave()

    def _spread(self, number: int, rows: int) -> Sequence[int]:
        return [(number * STEP + row) % len(self.terminals) for row in range(rows)]

    def report(self, index: int, status: str = "ok") -> None:
        self.terminals[index].report(time.monotonic(), status, paper=self.papers[index])
