"""A terminal's way back to a link, and what it waits for meanwhile."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    BACKOFF = "back-off"
    """The delay of the agent before an attempt."""
    LIMIT = "limit of the load"
    """The load generator dials no more at once."""
    HANDSHAKE = "handshake"
    BOOT = "answer to the boot"


@dataclass
class Reconnect:
    """The time from the loss of a link until the boot over the next one is answered. Times are `time.monotonic()`."""

    lost_at: float = field(default_factory=time.monotonic)
    back_at: float = 0.0
    """When the boot was answered; 0 until then."""
    phase: Phase = Phase.BACKOFF
    seconds: dict[Phase, float] = field(default_factory=dict)
    """Seconds by phase, over all attempts."""
    failures: dict[str, int] = field(default_factory=dict)
    """Attempts that failed, by reason."""
    _since: float = field(default_factory=time.monotonic, init=False)

    @property
    def is_back(self) -> bool:
        return self.back_at > 0

    def enter(self, phase: Phase) -> None:
        self._leave_phase()
        self.phase = phase

    def fail(self, reason: str) -> None:
        self.failures[reason] = self.failures.get(reason, 0) + 1

    def end(self) -> None:
        self._leave_phase()
        self.back_at = time.monotonic()

    def _leave_phase(self) -> None:
        now = time.monotonic()
        self.seconds[self.phase] = self.seconds.get(self.phase, 0.0) + now - self._since
        self._since = now


def slowest(reconnects: list[Reconnect], share: float) -> list[Reconnect]:
    """The slowest reconnects; one at least, if there is any."""
    ordered = sorted(reconnects, key=lambda one: one.back_at, reverse=True)
    return ordered[: max(1, round(share * len(ordered)))]


def waited_for(reconnects: list[Reconnect]) -> dict[str, float]:
    """Mean seconds of each phase, and mean failures by reason."""
    total = defaultdict[str, float](float)
    for one in reconnects:
        for phase, seconds in one.seconds.items():
            total[f"{phase} s"] += seconds
        for reason, number in one.failures.items():
            total[f"attempts failed, {reason}"] += number
    return {what: number / len(reconnects) for what, number in total.items()}
