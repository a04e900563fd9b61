"""The delay before the next link, by how the last one ended."""

import random
from collections.abc import Callable
from typing import NamedTuple

from tms_agent.connection.link import Closed, Drained, HandshakeRefused, LinkEnd, TimedOut
from tms_agent.protocol.close_codes import CloseCode

MAX_WAIT_S = 3600.0
"""Limits the delay that TMS or a proxy requests: a terminal that never comes back needs a visit."""


class WaitRange(NamedTuple):
    """Wait `at_least_s` and a random part of `spread_s`."""

    at_least_s: float
    spread_s: float


RARELY = WaitRange(300, 300)
"""Delay after a rejected credential: it may be rotated or reinstated, but may also stay invalid."""

AFTER_CLOSE = {
    CloseCode.BAD_FRAMES: WaitRange(60, 240),
    CloseCode.CREDENTIAL_REVOKED: RARELY,
    CloseCode.REPLACED: WaitRange(60, 60),
    CloseCode.TOO_LARGE: WaitRange(10, 50),
    CloseCode.TOO_FAST: WaitRange(30, 30),
    CloseCode.DRAINING: WaitRange(1, 30),
}


class Backoff:
    """Full jitter: a random delay within a window as long as the time waited so far, from `first_s` to `longest_s`.

    The delay starts at zero, because clients that fail together must not reconnect together
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). A window that doubles with every
    failure ignores the length of the outage: a terminal with short delays would fail five times within a second, and
    then wait half a minute. Here no terminal is offline more than twice as long as TMS was.
    """

    def __init__(
        self, *, first_s: float = 1.0, longest_s: float = 60.0, jitter: Callable[[], float] = random.random
    ) -> None:
        self.first_s = first_s
        self.longest_s = longest_s
        self._jitter = jitter
        self._waited_s = 0.0

    def reset(self) -> None:
        self._waited_s = 0.0

    def after(self, end: LinkEnd) -> float:
        """Seconds."""
        return min(self._after(end), MAX_WAIT_S)

    def _after(self, end: LinkEnd) -> float:
        match end:
            case Drained(drain=drain):
                return self._random_in(WaitRange(drain.reconnect_after_s, drain.spread_s))
            case HandshakeRefused(retry_after_s=float(at_least_s)):
                return at_least_s + self._after_failure()
            case HandshakeRefused(is_credential_rejected=True):
                return self._random_in(RARELY)
            case Closed(code=code) if code in AFTER_CLOSE:
                return self._random_in(AFTER_CLOSE[CloseCode(code)])
            case TimedOut(is_everywhere=True):
                # TMS is overloaded: answers to clients that have disconnected again would only add work.
                self._waited_s = self.longest_s
        return self._after_failure()

    def _after_failure(self) -> float:
        wait_s = self._jitter() * min(max(self.first_s, self._waited_s), self.longest_s)
        self._waited_s += wait_s
        return wait_s

    def _random_in(self, window: WaitRange) -> float:
        return window.at_least_s + self._jitter() * window.spread_s
