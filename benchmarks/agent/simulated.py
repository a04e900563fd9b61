"""A terminal's spool in simulated time, with reports as the agent makes them of a machine."""

import heapq
import itertools
import random
from collections.abc import Callable
from datetime import timedelta

from tms_agent.device.clock import ZERO
from tms_agent.protocol import frames


class Timer:
    is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Timers:
    def __init__(self) -> None:
        self.now = 0.0
        self._numbers = itertools.count()
        self._timers: list[tuple[float, int, Timer, Callable[[], None]]] = []

    def later(self, delay_s: float, act: Callable[[], None]) -> Timer:
        timer = Timer()
        heapq.heappush(self._timers, (self.now + delay_s, next(self._numbers), timer, act))
        return timer

    def run_until(self, at: float) -> None:
        while self._timers and self._timers[0][0] <= at:
            self.now, _, timer, act = heapq.heappop(self._timers)
            if not timer.is_cancelled:
                act()
        self.now = at


def report(seq: int, at_s: float, dice: random.Random, *, has_event: bool = False) -> frames.ReportFrame:
    """Nine readings of a machine with psutil."""
    at = ZERO + timedelta(seconds=at_s)
    metrics = {
        "disk_pct": 41.27,
        "load_1m": round(dice.uniform(0, 3), 2),
        "cpu_pct": round(dice.uniform(1, 90), 1),
        "memory_pct": round(dice.uniform(40, 60), 1),
        "temperature_c": round(dice.uniform(40, 60), 1),
        "net_received_bytes_s": round(dice.uniform(0, 500_000), 2),
        "net_sent_bytes_s": round(dice.uniform(0, 500_000), 2),
        "uptime_s": round(at_s, 2),
        "link_rtt_ms": round(dice.uniform(1, 40), 1),
    }
    events = (frames.TerminalEvent(at, "door_open", "info", "front door"),) if has_event else ()
    return frames.ReportFrame(seq, at, "ok", metrics, events)
