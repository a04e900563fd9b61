"""What a spool keeps of a long time without a link, and what it costs to append to it and to load it."""

import random
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

from benchmarks.agent.disk import BOOT, CLOCK
from benchmarks.agent.simulated import Timers, report
from tms_agent.storage.journal import SqliteJournal
from tms_agent.storage.spool import Spool
from tms_agent.storage.writer import JournalWriter

DAY_S = 86_400
AGES = {"10 minutes": 600, "an hour": 3_600, "6 hours": 21_600, "a day": DAY_S, "a week": 7 * DAY_S, "the beginning": 0}
INTERVALS_S = (1, 30)


def measure(folder: Path, days: int) -> Iterator[tuple[str, float]]:
    for interval_s in INTERVALS_S:
        name = f"{days} days of a report in {interval_s} s"
        spool, seconds = _outage(days * DAY_S // interval_s, interval_s)
        yield f"{name}: µs an append", seconds / (days * DAY_S // interval_s) * 1e6
        yield f"{name}: reports kept", len(spool)
        for age, gap_s in _gaps(spool, interval_s):
            yield f"{name}: seconds between reports, {age} ago", gap_s
        for what, value in _loaded(spool, folder / f"outage-{interval_s}.spool"):
            yield f"{name}: {what}", value


def _outage(reports: int, interval_s: int) -> tuple[Spool, float]:
    spool, dice, seconds = Spool(), random.Random(1), 0.0
    for seq in range(1, reports + 1):
        made = report(seq, seq * interval_s, dice)
        began = time.perf_counter()
        spool.append(BOOT, made, clock=CLOCK)
        seconds += time.perf_counter() - began
    return spool, seconds


def _gaps(spool: Spool, interval_s: int) -> Iterator[tuple[str, float]]:
    seqs = [entry.seq for entry in spool]
    for name, age_s in AGES.items():
        until = seqs[-1] - age_s / interval_s if age_s else 0
        yield name, next((later - earlier) * interval_s for earlier, later in pairwise(seqs) if later >= until)


def _loaded(spool: Spool, path: Path) -> Iterator[tuple[str, float]]:
    with closing(SqliteJournal(path, "T-1")) as journal:
        journal.write(list(spool), [], [])
    began = time.perf_counter()
    with closing(SqliteJournal(path, "T-1")) as journal:
        Spool(JournalWriter(journal, Timers().later))
        yield "ms to open and load", (time.perf_counter() - began) * 1e3
        yield "MiB on disk", path.stat().st_size / 2**20
        tracemalloc.start()
        loaded = Spool(JournalWriter(journal, Timers().later))
        assert len(loaded) == len(spool)
        yield "MiB in memory", tracemalloc.get_traced_memory()[0] / 2**20
        tracemalloc.stop()
