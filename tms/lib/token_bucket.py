"""A rate limit for one client."""


class TokenBucket:
    """A token bucket: `burst` at once, refilled by `per_minute`. Times are `time.monotonic()`."""

    __slots__ = ("burst", "per_second", "tokens", "touched_at")

    def __init__(self, *, per_minute: float, burst: float, at: float) -> None:
        self.per_second = per_minute / 60
        self.burst = burst
        self.tokens = burst
        self.touched_at = at

    def take(self, at: float) -> bool:
        tokens = min(self.burst, self.tokens + (at - self.touched_at) * self.per_second)
        self.touched_at = at
        self.tokens = tokens - 1 if tokens >= 1 else tokens
        return tokens >= 1

    @property
    def wait_s(self) -> float:
        """Time after the last use until a token is available."""
        return max(0.0, 1 - self.tokens) / self.per_second
