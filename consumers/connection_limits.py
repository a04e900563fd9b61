"""How many sockets one address, or one person, may have open on this process (R12)."""

from collections import Counter
from collections.abc import Callable, Hashable
from functools import lru_cache
from ipaddress import ip_address

from django.conf import settings

from tms.ingest.admission import HandshakeRejected, unavailable
from tms.metrics import instruments


class ConnectionLimiter[K: Hashable]:
    """Counts who is inside, and lets no more than `most` of the same in. 0: as many as come.

    Whoever `is_anybody` is not counted: others than one stand behind that name.
    """

    def __init__(
        self, by: str, most: Callable[[], int], *, is_anybody: Callable[[K], bool] = lambda who: False
    ) -> None:
        self.by, self.most, self.is_anybody = by, most, is_anybody
        self.inside: Counter[K] = Counter()
        instruments.CROWDING.labels(by).set_function(self.crowding)

    def enter(self, who: K) -> bool:
        """False, and nothing counted, when it has too many already. Who entered leaves once."""
        if self.is_anybody(who):
            return True
        if 0 < self.most() <= self.inside[who]:
            instruments.CROWDING_REFUSALS.labels(self.by).inc()
            return False
        self.inside[who] += 1
        return True

    def leave(self, who: K) -> None:
        if self.inside[who] > 1:
            self.inside[who] -= 1
        else:
            del self.inside[who]  # no error when it was not counted

    def crowding(self) -> float:
        """The share of its limit that the one with the most has taken."""
        most = self.most()
        return max(list(self.inside.values()), default=0) / most if most else 0.0


@lru_cache(maxsize=1024)
def is_loopback(address: str | None) -> bool:
    """This machine itself: an unnamed proxy, an agent, a test."""
    return address is not None and ip_address(address).is_loopback


addresses: ConnectionLimiter[str | None] = ConnectionLimiter(
    "address", lambda: settings.CONNECTIONS_PER_ADDRESS, is_anybody=is_loopback
)
people: ConnectionLimiter[int] = ConnectionLimiter("person", lambda: settings.BOARDS_PER_PERSON)


def too_many_of_address() -> HandshakeRejected:
    return unavailable(f"too many connections from your address; this node allows {settings.CONNECTIONS_PER_ADDRESS}")


def too_many_of_person() -> HandshakeRejected:
    return unavailable(f"too many open boards; this node allows {settings.BOARDS_PER_PERSON} per person, close some")
