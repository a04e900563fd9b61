"""Who is at which alert just now, as every process says of the boards that it serves. Never in the database."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct

FORGET_AFTER_S = 12.0
"""A process that says nothing for so long is gone, and whoever looked through it."""
REPEAT_S = 5.0
"""So often a process says it again, so that a lost message does no harm."""


class Look(Struct, frozen=True, gc=False, array_like=True):
    """A person at an alert, both by primary key."""

    person: int
    alert: int
    is_typing: bool = False


type Looks = frozenset[Look]
NOBODY: Looks = frozenset()


def strongest(looks: Iterable[Look]) -> Looks:
    """One a person and alert, however many tabs are open: whoever types in one of them is typing."""
    typing: dict[tuple[int, int], bool] = {}
    for look in looks:
        pair = look.person, look.alert
        typing[pair] = look.is_typing or typing.get(pair, False)
    return frozenset(Look(*pair, is_typing) for pair, is_typing in typing.items())


class Said(NamedTuple):
    looks: Looks
    at: float
    """By a clock that only goes forward."""


class Onlookers:
    """Written in the event loop, read from any thread: what is read is replaced as a whole."""

    def __init__(self) -> None:
        self._said: dict[str, Said] = {}
        self._at: Mapping[int, Looks] = {}

    def of(self, alert: int) -> Looks:
        return self._at.get(alert, NOBODY)

    def hear(self, process: str, looks: Looks, *, now: float) -> frozenset[int]:
        """All that `process` has to say; the alerts for which that changes anything."""
        if looks:
            self._said[process] = Said(looks, now)
        else:
            self._said.pop(process, None)
        return self._renew()

    def lapse(self, *, now: float) -> frozenset[int]:
        """The alerts at which somebody was whose process has fallen silent."""
        silent = [process for process, said in self._said.items() if now - said.at > FORGET_AFTER_S]
        for process in silent:
            del self._said[process]
        return self._renew() if silent else frozenset()

    def _renew(self) -> frozenset[int]:
        before, self._at = self._at, _by_alert([look for said in self._said.values() for look in said.looks])
        return frozenset(alert for alert in before.keys() | self._at.keys() if before.get(alert) != self._at.get(alert))


def _by_alert(looks: Collection[Look]) -> Mapping[int, Looks]:
    found: dict[int, set[Look]] = {}
    for look in strongest(looks):
        found.setdefault(look.alert, set()).add(look)
    return {alert: frozenset(at) for alert, at in found.items()}
