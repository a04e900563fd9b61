"""Who is at which alert or incident now, as every process says of the boards that it serves. Never in the database."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct

FORGET_AFTER_S = 12.0
"""A process that says nothing for so long is gone, and whoever looked through it."""
REPEAT_S = 5.0
"""So often a process says it again, so that a lost message does no harm."""


class Viewing(Struct, frozen=True, gc=False, array_like=True):
    """A person at an alert or at an incident, by primary key; 0 is none."""

    person: int
    alert: int = 0
    is_typing: bool = False
    incident: int = 0

    @property
    def place(self) -> str:
        """As boards name its element."""
        return f"incident-{self.incident}" if self.incident else f"alert-{self.alert}"


type Viewings = frozenset[Viewing]
NOBODY: Viewings = frozenset()


def strongest(looks: Iterable[Viewing]) -> Viewings:
    """One a person and place, however many tabs are open: whoever types in one of them is typing."""
    found: dict[tuple[int, str], Viewing] = {}
    for look in sorted(looks, key=lambda look: look.is_typing):
        found[look.person, look.place] = look
    return frozenset(found.values())


class Announced(NamedTuple):
    looks: Viewings
    at: float
    """By a clock that only goes forward."""


class Viewers:
    """Written in the event loop, read from any thread: what is read is replaced as a whole."""

    def __init__(self) -> None:
        self._said: dict[str, Announced] = {}
        self._at: Mapping[str, Viewings] = {}

    def of(self, place: str) -> Viewings:
        return self._at.get(place, NOBODY)

    def hear(self, process: str, looks: Viewings, *, now: float) -> frozenset[str]:
        """All that `process` has to say; the places for which that changes anything."""
        if looks:
            self._said[process] = Announced(looks, now)
        else:
            self._said.pop(process, None)
        return self._renew()

    def lapse(self, *, now: float) -> frozenset[str]:
        """The places at which somebody was whose process has fallen silent."""
        silent = [process for process, said in self._said.items() if now - said.at > FORGET_AFTER_S]
        for process in silent:
            del self._said[process]
        return self._renew() if silent else frozenset()

    def _renew(self) -> frozenset[str]:
        before, self._at = self._at, _by_place([look for said in self._said.values() for look in said.looks])
        return frozenset(place for place in before.keys() | self._at.keys() if before.get(place) != self._at.get(place))


def _by_place(looks: Collection[Viewing]) -> Mapping[str, Viewings]:
    found: dict[str, set[Viewing]] = {}
    for look in strongest(looks):
        found.setdefault(look.place, set()).add(look)
    return {place: frozenset(at) for place, at in found.items()}
