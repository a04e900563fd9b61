"""How fast a terminal may backfill: generous at once, finite over hours."""

from tms.protocol import limits


class BackfillPace:
    """Token buckets of terminals, kept across their links.

    Nothing is refused. What was read is committed, even if it exceeds the burst; the terminal is then not read until
    that much time has passed. Times are `time.monotonic()`.
    """

    def __init__(self) -> None:
        self.used: dict[int, tuple[float, float]] = {}
        """The weight of a terminal that is not refilled yet, and as of when."""
        self._purge_at = 1_000

    def charge(self, terminal_id: int, weight: int, *, at: float) -> bool:
        """Returns whether the terminal has to wait."""
        used = self._used(terminal_id, at) + weight
        self.used[terminal_id] = used, at
        if len(self.used) >= self._purge_at:
            self._purge(at)
        return used > limits.BACKFILL_BURST

    def wait_s(self, terminal_id: int, *, at: float) -> float:
        """Seconds until the terminal may be read again; 0 if it may."""
        return max(0.0, self._used(terminal_id, at) - limits.BACKFILL_BURST) / _per_second()

    def _used(self, terminal_id: int, at: float) -> float:
        used, since = self.used.get(terminal_id, (0.0, at))
        return max(0.0, used - (at - since) * _per_second())

    def _purge(self, at: float) -> None:
        self.used = {terminal_id: self.used[terminal_id] for terminal_id in self.used if self._used(terminal_id, at)}
        self._purge_at = max(1_000, 2 * len(self.used))


def _per_second() -> float:
    return limits.BACKFILL_PER_HOUR / 3_600
