"""Who is viewing which alert or incident. Each process publishes the viewers of its boards; nothing is stored."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct

VIEWINGS_TIMEOUT_S = 12.0
"""A process whose viewings are older is taken as gone, and they are dropped."""
REPEAT_S = 5.0
"""Interval at which a process publishes its viewings again, so that a lost message does no harm."""


class Viewing(Struct, frozen=True, gc=False, array_like=True):
    """A person viewing an alert or an incident, by primary key; 0 is none."""

    person: int
    alert: int = 0
    is_typing: bool = False
    incident: int = 0

    @property
    def element_id(self) -> str:
        """The id of the element on boards."""
        return f"incident-{self.incident}" if self.incident else f"alert-{self.alert}"


type Viewings = frozenset[Viewing]
NO_VIEWINGS: Viewings = frozenset()


def strongest(viewings: Iterable[Viewing]) -> Viewings:
    """One viewing per person and element, for any number of tabs. Typing in one of them counts as typing."""
    found: dict[tuple[int, str], Viewing] = {}
    for viewing in sorted(viewings, key=lambda viewing: viewing.is_typing):
        found[viewing.person, viewing.element_id] = viewing
    return frozenset(found.values())


class Announced(NamedTuple):
    viewings: Viewings
    at: float
    """Monotonic clock, in seconds."""


class Viewers:
    """The viewings of all processes. Written in the event loop, readable from any thread: replaced as a whole."""

    def __init__(self) -> None:
        self._by_process: dict[str, Announced] = {}
        self._at: Mapping[str, Viewings] = {}

    def of(self, element_id: str) -> Viewings:
        return self._at.get(element_id, NO_VIEWINGS)

    @property
    def all(self) -> Viewings:
        """What is viewed now, on any board."""
        return NO_VIEWINGS.union(*self._at.values())

    def update(self, process: str, viewings: Viewings, *, now: float) -> frozenset[str]:
        """Replace the viewings of `process`. Returns the element ids whose viewers changed."""
        if viewings:
            self._by_process[process] = Announced(viewings, now)
        else:
            self._by_process.pop(process, None)
        return self._renew()

    def expire(self, *, now: float) -> frozenset[str]:
        """Drop the viewings of silent processes. Returns the element ids whose viewers changed."""
        silent = [process for process, announced in self._by_process.items() if now - announced.at > VIEWINGS_TIMEOUT_S]
        for process in silent:
            del self._by_process[process]
        return self._renew() if silent else frozenset()

    def _renew(self) -> frozenset[str]:
        before, self._at = (
            self._at,
            _by_element([viewing for announced in self._by_process.values() for viewing in announced.viewings]),
        )
        return frozenset(
            element_id
            for element_id in before.keys() | self._at.keys()
            if before.get(element_id) != self._at.get(element_id)
        )


def _by_element(viewings: Collection[Viewing]) -> Mapping[str, Viewings]:
    found: dict[str, set[Viewing]] = {}
    for viewing in strongest(viewings):
        found.setdefault(viewing.element_id, set()).add(viewing)
    return {element_id: frozenset(at) for element_id, at in found.items()}
