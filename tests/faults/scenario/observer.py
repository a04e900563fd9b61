"""Terminals that record their reports and acknowledgements, which are compared with the database."""

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
DUPLICATE_EVENTS = "SELECT text FROM telemetry_event WHERE code = 'counted' GROUP BY text HAVING count(*) > 1"


class ObservedTerminal(Protocol):
    """A terminal that keeps running during every fault."""

    uid: str
    acked: int
    """The highest report of this boot that was acknowledged: by the protocol, all before it are committed, too."""
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
    def activity(self) -> str:
        """Its current activity while it is not linked, for error messages."""

    def report(self) -> None: ...
    async def run(self) -> None: ...
    async def stop(self) -> None: ...


@dataclass(frozen=True)
class Tally:
    """The outcome for the reports of all terminals."""

    made: int
    acknowledged: int
    stored: int
    """Reports in the database, each counted once."""
    lost: int
    """Acknowledged, and not in the database."""
    duplicated: int
    """Reports and events that are in the database more than once."""


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
        """Stop making reports."""
        if self._load is not None:
            self._load.cancel()
            self._load = None

    def resume(self) -> None:
        if self._load is None:
            self._load = asyncio.create_task(self._report_continuously())

    async def wait_until_linked(self) -> None:
        await until(
            lambda: self.linked == len(self.terminals), missing=lambda: self._described(lambda each: each.is_linked)
        )

    async def wait_for_acknowledgements(self, more: int) -> None:
        """Wait until so many more reports are acknowledged."""
        wanted = self.acked + more
        await until(lambda: self.acked >= wanted)

    async def wait_for_reports(self, more: int) -> None:
        """Wait until so many more reports are made."""
        wanted = self.made + more
        await until(lambda: self.made >= wanted)

    async def wait_until_acknowledged(self) -> None:
        """Wait until everything that was made before this call is acknowledged."""
        made = {terminal.uid: terminal.made for terminal in self.terminals}

        def is_acknowledged(terminal: ObservedTerminal) -> bool:
            return terminal.acked >= made[terminal.uid]

        await until(lambda: all(map(is_acknowledged, self.terminals)), missing=lambda: self._described(is_acknowledged))

    def _described(self, is_met: Callable[[ObservedTerminal], bool]) -> str:
        """The state of the terminals for which `is_met` is false."""
        return "; ".join(
            f"{each.uid} {'is linked' if each.is_linked else each.activity}, {each.waiting} reports wait"
            for each in self.terminals
            if not is_met(each)
        )

    async def count(self, query: Query) -> Tally:
        """Acknowledgements are read before the database, which must contain all of these reports."""
        acked = {(terminal.uid, terminal.boot_id): terminal.acked for terminal in self.terminals}
        made = self.made
        reports = await asyncio.to_thread(query, REPORTS)
        events = await asyncio.to_thread(query, DUPLICATE_EVENTS)
        stored: dict[tuple[str, str], set[int]] = {}
        for uid, boot_id, seq, _ in reports:
            stored.setdefault((uid, boot_id), set()).add(seq)
        return Tally(
            made=made,
            acknowledged=sum(acked.values()),
            stored=len(reports),
            lost=sum(len(set(range(1, upto + 1)) - stored.get(of, set())) for of, upto in acked.items()),
            duplicated=sum(times > 1 for *_, times in reports) + len(events),
        )

    async def _report_continuously(self) -> None:
        """Each terminal in turn, so that the load is even. A late loop catches up by at most a second."""
        step = self._report_every_s / len(self.terminals)
        next_at = time.monotonic()
        for terminal in _endlessly(self.terminals):
            with contextlib.suppress(ConnectionError):
                terminal.report()
            next_at = max(next_at, time.monotonic() - 1) + step
            await asyncio.sleep(next_at - time.monotonic())


def _endlessly(terminals: Sequence[ObservedTerminal]) -> Iterator[ObservedTerminal]:
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
