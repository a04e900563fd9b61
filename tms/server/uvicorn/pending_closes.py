"""Connections with unwritten output, and since when they are blocked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from tms.server.base.counters import Event


class Debtor(Protocol):
    """A connection whose reader is slow."""

    written: int
    """Bytes passed to the transport."""

    @property
    def unwritten(self) -> int:
        """Bytes of them that the kernel has not accepted yet."""

    def drop(self, why: Event) -> None: ...


@dataclass(slots=True)
class Debt:
    taken: int
    since: float


class Debts:
    """Connections of a process with unwritten output; only those are checked periodically."""

    def __init__(self, longest: float) -> None:
        self.longest = longest
        self.owing: dict[Debtor, Debt] = {}

    def began(self, debtor: Debtor) -> None:
        self.owing[debtor] = Debt(taken_by(debtor), monotonic())

    def ended(self, debtor: Debtor) -> None:
        self.owing.pop(debtor, None)

    def stuck(self, now: float) -> Iterator[Debtor]:
        """Those whose reader accepted nothing for too long."""
        for debtor, debt in list(self.owing.items()):
            taken = taken_by(debtor)
            if taken > debt.taken:
                debt.taken, debt.since = taken, now
            elif now - debt.since >= self.longest:
                yield debtor


def taken_by(debtor: Debtor) -> int:
    return debtor.written - debtor.unwritten
