"""A process beside a TMS, with its settings: records a moment each second, and compares it with its replay later.

Prints one line of JSON for each comparison: the instant, and how the replay differs.
"""

import json
import time
from collections import deque

import django

from tests.faults.moments.comparisons import Comparison

EVERY_S = 1.0


def main() -> None:
    django.setup()
    from django.db import DatabaseError, InterfaceError, connection

    from tests.faults.moments.recorder import SETTLED, RecordedMoment, record
    from tms.lib.db.clock import database_clock

    waiting: deque[tuple[float, RecordedMoment]] = deque()
    while True:
        try:
            waiting.append((time.monotonic(), record()))
            while waiting and waiting[0][0] <= time.monotonic() - SETTLED.total_seconds():
                moment = waiting[0][1]
                compared = Comparison(moment.at.isoformat(), moment.differences(now=database_clock()))
                print(json.dumps(compared), flush=True)
                waiting.popleft()
        except (DatabaseError, InterfaceError):  # the faults are about to end
            connection.close()
        time.sleep(EVERY_S)


if __name__ == "__main__":
    main()
