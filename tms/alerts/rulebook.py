"""The rules as this process knows them: a snapshot that is replaced when the feed says that rules changed."""

import time

from tms.alerts.models import Rule
from tms.alerts.rules import RuleSet
from tms.live.change import Change

STALE_S = 30.0
"""Read again after this even when the feed said nothing, for it is only a hint."""


class RuleBook:
    """`snapshot` may be read from any thread; `refresh` reads the database."""

    def __init__(self) -> None:
        self.snapshot = RuleSet()
        self._read_at: float | None = None

    def changed(self, change: Change) -> None:
        """A listener of the hub."""
        if change.rules or change.everything:
            self._read_at = None

    def refresh(self) -> RuleSet:
        now, read_at = time.monotonic(), self._read_at  # looked at once: the loop's thread may reset it
        if read_at is None or now - read_at > STALE_S:
            self._read_at = now  # before the reading: what changes meanwhile is read again
            self._read()
        return self.snapshot

    def _read(self) -> None:
        try:
            rows = tuple(Rule.objects.filter(enabled=True).order_by("pk"))
        except Exception:
            self._read_at = None
            raise
        if _marks(rows) != _marks(self.snapshot.rows):
            self.snapshot = RuleSet(rows)


def _marks(rows: tuple[Rule, ...]) -> list[tuple[int, int]]:
    return [(row.pk, row.revision) for row in rows]


rulebook = RuleBook()
