"""Keeps the agent within the frames per minute that TMS allows."""

from tms_agent.protocol import frames

RESERVE = 0.8
"""The share of the burst in use: frames that the network delayed arrive closer together than they were sent."""


class Pace:
    """Token bucket. `at` is any monotonic clock in seconds."""

    def __init__(self, limits: frames.Limits, *, at: float) -> None:
        self._rate = max(1, limits.frames_per_minute) / 60
        self._burst = max(1.0, RESERVE * limits.frames_burst)
        self._tokens = self._burst
        self._at = at

    def wait_s(self, *, at: float) -> float:
        """Take a token; returns how long to wait before its frame may be sent."""
        self._tokens = min(self._burst, self._tokens + (at - self._at) * self._rate) - 1
        self._at = at
        return max(0.0, -self._tokens / self._rate)
