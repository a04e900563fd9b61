"""Bytes and commits of a report, with a link and without."""

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.agent.simulated import Timers, report
from tms_agent.device.clock import Anchor
from tms_agent.storage.entry import SpooledReport
from tms_agent.storage.journal import SqliteJournal
from tms_agent.storage.spool import Bounds, Spool
from tms_agent.storage.writer import JournalWriter

BOOT, CLOCK = "0123456789abcdef" * 2, "01234567-89ab-cdef-0123-456789abcdef"


@dataclass(frozen=True)
class Case:
    name: str
    interval_s: float
    acknowledged_after_s: float | None = 0.1
    events_each: int = 0
    """One report in so many has an event."""
    held: int = 0
    """Reports in the spool at the beginning; the bound of the spool as well."""


CASES = (
    Case("a report a second, acknowledged after 100 ms", 1),
    Case("a report in 30 s, acknowledged after 100 ms", 30),
    Case("a report a second, one in 100 with an event", 1, events_each=100),
    Case("a report in 30 s, one in 100 with an event", 30, events_each=100),
    Case("a report a second, acknowledged after 3 s", 1, acknowledged_after_s=3),
    Case("a report a second, no link", 1, None),
    Case("a report in 30 s, no link", 30, None),
    Case("a report a second, no link, full spool", 1, None, held=2_000),
)


class CountingJournal(SqliteJournal):
    commits = 0

    def write(self, added: Sequence[SpooledReport], removed: Sequence[int], anchors: Sequence[Anchor]) -> None:
        self.commits += 1
        super().write(added, removed, anchors)


def measure(folder: Path, reports: int, device: str) -> Iterator[tuple[str, float]]:
    for number, case in enumerate(CASES):
        with closing(CountingJournal(folder / f"disk-{number}.spool", "T-1")) as journal:
            yield from _measure(case, journal, reports, device)


def _measure(case: Case, journal: CountingJournal, reports: int, device: str) -> Iterator[tuple[str, float]]:
    timers, dice = Timers(), random.Random(1)
    bounds = Bounds(reports=case.held) if case.held else Bounds()
    spool = Spool(JournalWriter(journal, timers.later), bounds)
    for seq in range(1, case.held + 1):
        spool.append(BOOT, report(seq, seq, dice), clock=CLOCK)
    spool.save()
    os.sync()
    before, commits = _written(device), journal.commits
    for number in range(1, reports + 1):
        _live_one_interval(case, spool, timers, dice, case.held + number)
    os.sync()
    after = _written(device)
    yield f"{case.name}: bytes a report", (after[0] - before[0]) / reports
    if device:
        yield f"{case.name}: bytes of the device", (after[1] - before[1]) / reports
    yield f"{case.name}: commits a report", (journal.commits - commits) / reports


def _live_one_interval(case: Case, spool: Spool, timers: Timers, dice: random.Random, seq: int) -> None:
    began = timers.now
    has_event = bool(case.events_each) and seq % case.events_each == 0
    spool.append(BOOT, report(seq, began, dice, has_event=has_event), clock=CLOCK)
    if case.acknowledged_after_s is not None:
        behind = int(case.acknowledged_after_s // case.interval_s)
        timers.run_until(began + case.acknowledged_after_s % case.interval_s)
        spool.acknowledge(BOOT, seq - behind)
    timers.run_until(began + case.interval_s)


def _written(device: str) -> tuple[int, int]:
    """Bytes that this process caused to be written, and those of the device."""
    counters = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    sectors = int(Path(f"/sys/block/{device}/stat").read_text().split()[6]) if device else 0
    return int(counters["write_bytes"]), sectors * 512
