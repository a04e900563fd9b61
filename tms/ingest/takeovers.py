"""Two devices that use one credential keep taking its link from each other; they are told apart by how often (R5)."""

from collections import deque

from django.conf import settings

WINDOW_S = 60.0


class Takeovers:
    """Counts takeovers of each terminal's link within a minute, and bans who has too many. Times are monotonic."""

    def __init__(self) -> None:
        self._times: dict[int, deque[float]] = {}
        self._banned_until: dict[int, float] = {}
        self._tidied_at = 0.0

    def __len__(self) -> int:
        """The terminals that are remembered."""
        return len(self._times.keys() | self._banned_until.keys())

    def count(self, terminal_id: int, *, at: float) -> bool:
        """Whether this takeover is one too many; then the terminal is banned from here on."""
        self._tidy(at)
        times = self._times.setdefault(terminal_id, deque(maxlen=settings.TAKEOVERS_PER_MINUTE + 1))
        times.append(at)
        if len(times) < settings.TAKEOVERS_PER_MINUTE + 1 or at - times[0] >= WINDOW_S:
            return False
        del self._times[terminal_id]
        self._banned_until[terminal_id] = at + settings.TAKEOVER_BAN_S
        return True

    def ban_left_s(self, terminal_id: int, *, at: float) -> float:
        """Seconds for which handshakes of this terminal are refused; 0 for none."""
        return max(0.0, self._banned_until.get(terminal_id, at) - at)

    def _tidy(self, at: float) -> None:
        """Forget what no longer counts, once a minute."""
        if at - self._tidied_at < WINDOW_S:
            return
        self._tidied_at = at
        self._times = {pk: times for pk, times in self._times.items() if at - times[-1] < WINDOW_S}
        self._banned_until = {pk: until for pk, until in self._banned_until.items() if until > at}
