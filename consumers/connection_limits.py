"""Limits of open sockets per address and per person on this process."""

from collections import Counter
from collections.abc import Callable, Hashable
from functools import lru_cache
from ipaddress import ip_address

from django.conf import settings

from tms.ingest.admission import HandshakeRejected, unavailable
from tms.metrics import instruments


class ConnectionLimiter[K: Hashable]:
    """Counts open connections by key and admits at most `limit` for each. A limit of 0 admits all.

    Keys that are `exempt` are not counted: many clients may share them.
    """

    def __init__(
        self, by: str, limit: Callable[[], int], *, is_exempt: Callable[[K], bool] = lambda key: False
    ) -> None:
        self.by, self.limit, self.is_exempt = by, limit, is_exempt
        self.counts: Counter[K] = Counter()
        instruments.LIMIT_USAGE.labels(by).set_function(self.usage)

    def enter(self, key: K) -> bool:
        """Count a connection. Returns False, and counts nothing, if its key has reached the limit."""
        if self.is_exempt(key):
            return True
        if 0 < self.limit() <= self.counts[key]:
            instruments.LIMIT_REFUSALS.labels(self.by).inc()
            return False
        self.counts[key] += 1
        return True

    def leave(self, key: K) -> None:
        if self.counts[key] > 1:
            self.counts[key] -= 1
        else:
            del self.counts[key]  # exempt keys were not counted

    def usage(self) -> float:
        """The highest count of any key, as a share of the limit."""
        limit = self.limit()
        return max(list(self.counts.values()), default=0) / limit if limit else 0.0


@lru_cache(maxsize=1024)
def is_loopback(address: str | None) -> bool:
    """This machine: an unnamed proxy, an agent, a test."""
    return address is not None and ip_address(address).is_loopback


addresses: ConnectionLimiter[str | None] = ConnectionLimiter(
    "address", lambda: settings.CONNECTIONS_PER_ADDRESS, is_exempt=is_loopback
)
people: ConnectionLimiter[int] = ConnectionLimiter("person", lambda: settings.BOARDS_PER_PERSON)
screens: ConnectionLimiter[int] = ConnectionLimiter("screen", lambda: settings.BOARDS_PER_PERSON)


def too_many_of_address() -> HandshakeRejected:
    return unavailable(f"too many connections from your address; this node allows {settings.CONNECTIONS_PER_ADDRESS}")


def too_many_of_person() -> HandshakeRejected:
    return unavailable(f"too many open boards; this node allows {settings.BOARDS_PER_PERSON} per person, close some")


def too_many_of_screen() -> HandshakeRejected:
    return unavailable(
        f"too many open boards; this node allows {settings.BOARDS_PER_PERSON} per wall screen, close some"
    )
