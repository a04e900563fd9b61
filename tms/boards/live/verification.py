"""Verification of the boards against the database, part of every frame."""

from datetime import datetime

from tms.boards.live.frames import Verification

RETRY_S = 1.0
TRIES = 3
"""Number of comparisons in a row that must find a mismatch before the board reports it.

A row committed a moment ago may be visible in the database while its message is still on its way.
"""


class Verifier:
    """Compares the incrementally updated counts with the database, once for all boards."""

    def __init__(self, interval_s: float) -> None:
        self.result = Verification()
        self.due = 0.0
        self._interval_s = interval_s
        self._mismatches_in_row = 0

    def judge(self, mismatches: int | None, *, at: datetime, now: float) -> bool:
        """Whether the boards must be counted again. `mismatches` comes from the census cache, `now` is the monotonic
        clock.
        """
        if not mismatches:
            self._finish(self.result if mismatches is None else Verification("equal", at), now)
            return False
        self._mismatches_in_row += 1
        if self._mismatches_in_row < TRIES:
            self.due = now + RETRY_S
            return False
        self._finish(Verification("differs", at), now)
        return True

    def _finish(self, result: Verification, now: float) -> None:
        self.result, self._mismatches_in_row = result, 0
        self.due = now + self._interval_s
