"""Takeovers: two devices with one credential that repeatedly take over its link are banned.

They may connect to different nodes, so the database counts.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings

from tms.ingest.items import TakenOver
from tms.ingest.models import TakeoverCounter

WINDOW_S = 60.0


def count(takeovers: Sequence[TakenOver]) -> list[TakenOver]:
    """The terminals with one takeover too many within a minute; they are banned from then on.

    Call it in the transaction that locks the terminals' link states, so that nothing else counts at the same time.
    """
    if not takeovers:
        return []
    ids = {item.link.identity.terminal_id for item in takeovers}
    counters = TakeoverCounter.objects.in_bulk(ids)
    for terminal_id in ids - counters.keys():
        counters[terminal_id] = TakeoverCounter(terminal_id=terminal_id)
    too_many = [item for item in takeovers if add(counters[item.link.identity.terminal_id], at=item.at)]
    TakeoverCounter.objects.bulk_create(
        counters.values(),
        update_conflicts=True,
        unique_fields=["terminal"],
        update_fields=["taken_at", "banned_until"],
    )
    return too_many


def add(counter: TakeoverCounter, *, at: datetime) -> bool:
    """Whether this takeover is one too many. Takeovers during a ban do not count."""
    if counter.banned_until is not None and counter.banned_until > at:
        return False
    now = at.timestamp()
    recent = [each for each in counter.taken_at if abs(now - each) < WINDOW_S]
    counter.taken_at = [*recent, now]
    if len(counter.taken_at) <= settings.TAKEOVERS_PER_MINUTE:
        return False
    counter.taken_at = []
    counter.banned_until = at + timedelta(seconds=settings.TAKEOVER_BAN_S)
    return True


class Bans:
    """Terminals whose handshakes this node rejects, as of its last poll. Times are monotonic."""

    def __init__(self) -> None:
        self._until: dict[int, float] = {}

    def read(self, found: Iterable[tuple[int, float]], *, at: float) -> None:
        """`found`: terminals, each with the remaining seconds."""
        self._until = {terminal_id: at + left_s for terminal_id, left_s in found}

    def left_s(self, terminal_id: int, *, at: float) -> float:
        """Seconds that are left of the ban; 0 for none."""
        return max(0.0, self._until.get(terminal_id, at) - at)


def find_bans(at: datetime) -> list[tuple[int, float]]:
    """Banned terminals with the remaining seconds."""
    rows = TakeoverCounter.objects.banned(at).values_list("pk", "banned_until")
    return [(terminal_id, (until - at).total_seconds()) for terminal_id, until in rows if until is not None]
