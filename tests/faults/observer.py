"""Terminals that remember their reports and acknowledgements, and compare them with the database."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

type Query = Callable[[str], list[tuple[Any, ...]]]
"""Rows of the database of the observed TMS."""

DEADLINE_S = 120

REPORTS = """
SELECT t.uid, b.boot_id, r.seq, count(*) FROM telemetry_report r
JOIN telemetry_boot b ON b.id = r.boot_id JOIN fleet_terminal t ON t.id = r.terminal_id
GROUP BY t.uid, b.boot_id, r.seq
"""
EVENTS_TWICE = "SELECT text FROM telemetry_event WHERE code = 'counted' GROUP BY text HAVING count(*) > 1"


class ObservedTerminal(Protocol):
    """A terminal that keeps running during every fault."""

    uid: str
    acked: int
    """The highest report of this boot that was acknowledged: by the contract, all before it are committed too."""
    linked_at: float
    """When its newest link was booted, on the monotonic clock."""
    losses: int
    """How often it lost a link."""

    @property
    def boot_id(self) -> str: ...
    @property
    def made(self) -> int: ...
    @property
    def waiting(self) -> int:
        """Reports that are not acknowledged."""

    @property
    def is_linked(self) -> bool: ...
    @property
    def doing(self) -> str:
        """What it does while it is not linked, for error messages."""

    def report(self) -> None: ...
    async def run(self) -> None: ...
    async def stop(self) -> None: ...


@dataclass(frozen=True)
class Tally:
    """The outcome for the reports of all terminals."""

    made: int
    acknowledged: int
    kept: int
    """In the database, each counted once."""
    lost: int
    """Acknowledged, and not in the database."""
    twice: int
    """In the database more than once: reports and events."""


class TerminalObserver:
    """Runs its terminals while it is entered; each reports every `report_every_s`."""

    def __init__(self, terminals: Sequence[ObservedTerminal], *, report_every_s: float) -> None:
        self.terminals = terminals
        self._report_every_s = report_every_s
        self._tasks: list[asyncio.Task[None]] = []
        self._load: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(terminal.run()) for terminal in self.terminals]
        self.resume()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.pause()
        for terminal in self.terminals:
            await terminal.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def made(self) -> int:
        return sum(terminal.made for terminal in self.terminals)

    @property
    def acked(self) -> int:
        return sum(terminal.acked for terminal in self.terminals)

    @property
    def waiting(self) -> int:
        return sum(terminal.waiting for terminal in self.terminals)

    @property
    def linked(self) -> int:
        return sum(terminal.is_linked for terminal in self.terminals)

    @property
    def losses(self) -> int:
        return sum(terminal.losses for terminal in self.terminals)

    def pause(self) -> None:
        """Make no more reports."""
        if self._load is not None:
            self._load.cancel()
            self._load = None

    def resume(self) -> None:
        if self._load is None:
            self._load = asyncio.create_task(self._report_on())

    async def all_linked(self) -> None:
        await until(
            lambda: self.linked == len(self.terminals), missing=lambda: self._described(lambda each: each.is_linked)
        )

    async def acknowledged(self, more: int) -> None:
        """Wait until so many more reports are acknowledged."""
        wanted = self.acked + more
        await until(lambda: self.acked >= wanted)

    async def made_more(self, more: int) -> None:
        """Wait until so many more reports are made."""
        wanted = self.made + more
        await until(lambda: self.made >= wanted)

    async def settled(self) -> None:
        """Wait until everything that was made before this call is acknowledged."""
        made = {terminal.uid: terminal.made for terminal in self.terminals}

        def is_settled(terminal: ObservedTerminal) -> bool:
            return terminal.acked >= made[terminal.uid]

        await until(lambda: all(map(is_settled, self.terminals)), missing=lambda: self._described(is_settled))

    def _described(self, is_well: Callable[[ObservedTerminal], bool]) -> str:
        """Of the terminals that are not well."""
        return "; ".join(
            f"{each.uid} {'is linked' if each.is_linked else each.doing}, {each.waiting} reports wait"
            for each in self.terminals
            if not is_well(each)
        )

    async def count(self, query: Query) -> Tally:
        """Acknowledgements are read before the database: what was acknowledged by then must be there."""
        acked = {(terminal.uid, terminal.boot_id): terminal.acked for terminal in self.terminals}
        made = self.made
        reports = await asyncio.to_thread(query, REPORTS)
        events = await asyncio.to_thread(query, EVENTS_TWICE)
        kept: dict[tuple[str, str], set[int]] = {}
        for uid, boot_id, seq, _ in reports:
            kept.setdefault((uid, boot_id), set()).add(seq)
        return Tally(
            made=made,
            acknowledged=sum(acked.values()),
            kept=len(reports),
            lost=sum(len(set(range(1, upto + 1)) - kept.get(of, set())) for of, upto in acked.items()),
            twice=sum(times > 1 for *_, times in reports) + len(events),
        )

    async def _report_on(self) -> None:
        """Each terminal in turn, so that the load is even. Who was woken late catches up, with a second at the most."""
        step = self._report_every_s / len(self.terminals)
        next_at = time.monotonic()
        for terminal in _for_ever(self.terminals):
            with contextlib.suppress(ConnectionError):
                terminal.report()
            next_at = max(next_at, time.monotonic() - 1) + step
            await asyncio.sleep(next_at - time.monotonic())


def _for_ever(terminals: Sequence[ObservedTerminal]) -> Iterator[ObservedTerminal]:
    while True:
        yield from random.sample(terminals, len(terminals))


async def until(
    holds: Callable[[], bool], *, within_s: float = DEADLINE_S, missing: Callable[[], str] = lambda: ""
) -> None:
    """Raises TimeoutError with what was `missing`."""
    try:
        async with asyncio.timeout(within_s):
            while not holds():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise TimeoutError(missing()) from None
