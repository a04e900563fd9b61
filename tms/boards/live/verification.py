"""Verification of the boards against the database, part of every frame; and the record of what they have been sent."""

import time
from datetime import UTC, datetime

from tms.boards.caches.census_cache import census_cache
from tms.boards.live.frames import Verification
from tms.replay.recorded import recorder
from tms.replay.recorded.recorder import RecordOutcome
from tms.replay.recorded.shown_state import Totals

RETRY_S = 1.0
TRIES = 3
"""Number of comparisons in a row that must find a mismatch before the board reports it.

A row committed a moment ago may be visible in the database while its message is still on its way.
"""
RECORD_TRIES = 6
RECORD_RETRY_S = 1.0
"""The last try comes later than boards show that they are behind."""


class Verifier:
    """Compares the incrementally updated counts with the database, once for all boards."""

    def __init__(self, interval_s: float, *, tries: int = TRIES) -> None:
        self.result = Verification()
        self.due = 0.0
        self._interval_s = interval_s
        self._tries = tries
        self._mismatches_in_row = 0

    def judge(self, mismatches: int | None, *, at: datetime, now: float) -> bool:
        """Whether the boards must be counted again. `mismatches` comes from the census cache, `now` is the monotonic
        clock.
        """
        if not mismatches:
            self._finish(self.result if mismatches is None else Verification("equal", at), now)
            return False
        self._mismatches_in_row += 1
        if self._mismatches_in_row < self._tries:
            self.due = now + RETRY_S
            return False
        self._finish(Verification("differs", at), now)
        return True

    def _finish(self, result: Verification, now: float) -> None:
        self.result, self._mismatches_in_row = result, 0
        self.due = now + self._interval_s


class BoardRecorder:
    """Records what the boards of this process have been sent (`TMS_REPLAY_RECORD_S`).

    Use it in the render thread, between two passes.
    """

    def __init__(self) -> None:
        self._verifier = Verifier(0.0, tries=RECORD_TRIES)

    def record(self) -> bool:
        """Whether a moment was recorded: not while the boards differ from the database.

        A change on its way to the boards is such a difference, and while terminals reconnect there is always one. But
        if the same rows differ at each of `RECORD_TRIES`, and the feed has not named them, the boards are wrong. Their
        numbers are recorded then, and the comparison with the replay shows it.
        """
        totals = _totals()
        outcome = recorder.record(totals)
        rows = 0 if outcome is RecordOutcome.RECORDED else census_cache().mismatches("recording")
        if self._verifier.judge(rows, at=datetime.now(UTC), now=time.monotonic()):
            outcome = recorder.record(totals, are_wrong=True)
        return outcome is RecordOutcome.RECORDED


def _totals() -> Totals:
    census = census_cache().read()
    return Totals.of(census.presences, ((key[1], key[2], number) for key, number in census.alerts.items()))
