"""Counts the database by a way of its own, and compares with what the boards were sent."""

from collections import Counter
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count

from tms.alerts.models import Alert
from tms.boards.census import Census
from tms.boards.live.frames import Database
from tms.fleet.models import TerminalState

RETRY_S = 1.0
TRIES = 3
"""So often in a row, with the feed quiet in between, must the counts differ before the board says so.

What was committed a moment ago may be counted here while its message is still on its way.
"""


class Counts(NamedTuple):
    presences: Counter[str]
    severities: Counter[str]


def count() -> Counts:
    """Grouped as no board is: by presence alone, by severity alone."""
    presences = TerminalState.objects.values_list("presence").annotate(n=Count("pk"))
    severities = Alert.objects.unresolved().values_list("severity").annotate(n=Count("pk"))
    return Counts(Counter(dict(presences)), Counter(dict(severities)))


class Prover:
    """Keeps the verdict that every frame carries."""

    def __init__(self, interval_s: float) -> None:
        self.verdict = Database()
        self.due = 0.0
        self._interval_s = interval_s
        self._differed = 0

    def heard(self) -> None:
        """A change is on its way to the boards: what differed before proves nothing."""
        self._differed = 0

    def compare(self, shown: Census, counted: Counts, *, at: datetime, now: float) -> bool:
        """Whether the boards must be painted anew; `now` is the monotonic clock."""
        if shown.by_presence() == counted.presences and shown.by_severity() == counted.severities:
            self._settle(Database("equal", at), now)
            return False
        self._differed += 1
        if self._differed < TRIES:
            self.due = now + RETRY_S
            return False
        self._settle(Database("differs", at), now)
        return True

    def _settle(self, verdict: Database, now: float) -> None:
        self.verdict, self._differed = verdict, 0
        self.due = now + self._interval_s
