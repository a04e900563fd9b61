"""Records what the boards of this process have been sent (`TMS_REPLAY_RECORD_S`)."""

import time
from datetime import UTC, datetime

from tms.boards.caches.census_cache import census_cache
from tms.boards.live.verification import Verifier
from tms.replay.recorded import recorder
from tms.replay.recorded.recorder import RecordOutcome
from tms.replay.recorded.shown_state import Totals

TRIES = 6
RETRY_S = 1.0
"""The last try comes later than boards show that they are behind."""


class BoardRecorder:
    """Use it in the render thread, between two passes."""

    def __init__(self) -> None:
        self._verifier = Verifier(0.0, tries=TRIES)

    def record(self) -> bool:
        """Whether a moment was recorded: not while the boards differ from the database.

        A change on its way to the boards is such a difference, and while terminals reconnect there is always one. But
        if the same rows differ at each of `TRIES`, and the feed has not named them, the boards are wrong. Their numbers
        are recorded then, and the comparison with the replay shows it.
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
