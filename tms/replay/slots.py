"""Bounds the work of replays in this process: a few at once, and of one person only the newest step waits."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tms.lib.per_process import per_process

AT_ONCE = 2
PATIENCE_S = 8.0
LOOK_S = 0.05


class Busy(Exception):
    """No slot became free, or the same person has asked for a later step."""

    code = "tms:unavailable"


class ReplaySlots:
    def __init__(self, at_once: int = AT_ONCE, patience_s: float = PATIENCE_S) -> None:
        self._free = threading.BoundedSemaphore(at_once)
        self._patience_s = patience_s
        self._numbers = itertools.count()
        self._newest: dict[int, int] = {}
        """The newest step of each person."""

    @property
    def waiting(self) -> int:
        """Number of people of whom a step waits or runs."""
        return len(self._newest)

    @contextmanager
    def step(self, person: int) -> Iterator[None]:
        """A slot for a step of a person who plays or drags: raises Busy as soon as a later step makes it pointless."""
        number = self._newest[person] = next(self._numbers)
        with self._slot(person, number):
            yield

    @contextmanager
    def page(self) -> Iterator[None]:
        with self._slot(0, None):
            yield

    @contextmanager
    def _slot(self, person: int, number: int | None) -> Iterator[None]:
        try:
            self._wait(person, number)
            try:
                yield
            finally:
                self._free.release()
        finally:
            if number is not None and self._newest.get(person) == number:
                del self._newest[person]

    def _wait(self, person: int, number: int | None) -> None:
        until = time.monotonic() + self._patience_s
        while not self._free.acquire(timeout=LOOK_S):
            is_outdated = number is not None and self._newest.get(person) != number
            if is_outdated or time.monotonic() > until:
                raise Busy("busy with other replays; try again in a few seconds")


@per_process
def replay_slots() -> ReplaySlots:
    """The slots of this process."""
    return ReplaySlots()
