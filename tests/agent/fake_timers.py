"""Timers of an event loop in simulated time."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(eq=False)
class FakeTimer:
    at: float
    act: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


class FakeTimers:
    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list[FakeTimer] = []

    def later(self, delay_s: float, act: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(self.now + delay_s, act)
        self._timers.append(timer)
        return timer

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while due := [one for one in self._timers if one.at <= until and not one.is_cancelled]:
            timer = min(due, key=lambda one: one.at)
            self._timers.remove(timer)
            self.now = timer.at
            timer.act()
        self.now = until
        self._timers = [one for one in self._timers if not one.is_cancelled]
