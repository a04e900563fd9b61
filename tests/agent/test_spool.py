"""The spool, compared with a simple model."""

import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.agent.fake_timers import FakeTimers
from tms_agent.device.clock import Anchor
from tms_agent.protocol import frames
from tms_agent.storage.entry import SpooledReport
from tms_agent.storage.journal import SqliteJournal
from tms_agent.storage.spool import Bounds, Spool
from tms_agent.storage.writer import JournalError, JournalWriter

BEGAN = datetime(2026, 11, 25, tzinfo=UTC)
BOUNDS = Bounds(reports=12, bytes=6_000)


def report(seq: int, *, text: str | None = None) -> frames.ReportFrame:
    at = BEGAN + timedelta(seconds=seq)
    return frames.ReportFrame(
        seq, at, "ok", events=() if text is None else (frames.TerminalEvent(at, "note", text=text),)
    )


def pending(spool: Spool) -> list[tuple[str, int]]:
    return [(entry.boot_id, entry.seq) for entry in spool]


class SpoolMachine(RuleBasedStateMachine):
    """Reports, acknowledgements, restarts of the agent and of its boot, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "spool"
        self.boots = 1
        self.seq = 0
        self.events: list[tuple[str, int]] = []
        self.made: list[tuple[str, int]] = []
        self.lost_events = 0
        self.open()

    def open(self) -> None:
        self.journal = SqliteJournal(self.path, "T-1")
        self.spool = Spool(JournalWriter(self.journal, FakeTimers().later), BOUNDS)

    def teardown(self) -> None:
        self.journal.close()
        self.folder.cleanup()

    @property
    def boot_id(self) -> str:
        return f"boot-{self.boots}"

    @rule(text=st.none() | st.text(st.characters(codec="ascii"), max_size=500))
    def append(self, text: str | None) -> None:
        self.seq += 1
        self.spool.append(self.boot_id, report(self.seq, text=text))
        self.made.append((self.boot_id, self.seq))
        if text is not None:
            self.events.append(self.made[-1])

    @rule(boot=st.integers(1, 5), seq=st.integers(0, 60))
    def acknowledge(self, boot: int, seq: int) -> None:
        self.spool.acknowledge(f"boot-{boot}", seq)
        is_acknowledged = lambda one: one[0] == f"boot-{boot}" and one[1] <= seq  # noqa: E731
        self.events = [one for one in self.events if not is_acknowledged(one)]
        self.made = [one for one in self.made if not is_acknowledged(one)]

    @precondition(lambda self: self.boots < 5)
    @rule()
    def boot_again(self) -> None:
        self.boots += 1
        self.seq = 0

    @rule()
    def stop_and_start_again(self) -> None:
        before = list(self.spool)
        self.lost_events += self.spool.dropped
        self.spool.save()
        self.journal.close()
        self.open()
        assert list(self.spool) == before

    @invariant()
    def order_is_preserved_and_nothing_is_invented(self) -> None:
        assert pending(self.spool) == [one for one in self.made if one in set(pending(self.spool))]

    @invariant()
    def events_are_dropped_only_when_there_is_nothing_else_to_give_up(self) -> None:
        stored = [(entry.boot_id, entry.seq) for entry in self.spool if entry.has_events]
        dropped = self.lost_events + self.spool.dropped
        assert len(stored) >= len(self.events) - dropped
        assert stored == self.events[len(self.events) - len(stored) :]

    @invariant()
    def it_stays_within_its_bounds(self) -> None:
        assert len(self.spool) <= BOUNDS.reports
        assert sum(entry.size for entry in self.spool) <= BOUNDS.bytes

    @invariant()
    def a_report_comes_out_as_it_went_in(self) -> None:
        assert all(entry.report.seq == entry.seq for entry in self.spool)


TestSpool = SpoolMachine.TestCase
TestSpool.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_the_default_spool_holds_more_than_an_hour_of_one_report_a_second():
    spool = Spool()
    busy = frames.ReportFrame(1, BEGAN, "ok", {f"metric_{number}": 12345.678 for number in range(20)})

    for _ in range(3_600):
        spool.append("boot", busy)

    assert (len(spool), spool.thinned) == (3_600, 0)


def test_readings_are_thinned_from_the_oldest_and_every_event_stays():
    spool = Spool(bounds=Bounds(reports=20))
    for seq in range(1, 41):
        spool.append("boot", report(seq, text="door" if seq % 8 == 0 else None))

    stored = [entry.seq for entry in spool]
    assert [entry.seq for entry in spool if entry.has_events] == [8, 16, 24, 32, 40]
    assert stored[-5:] == [36, 37, 38, 39, 40]
    assert len(stored) <= 20
    assert spool.dropped == 0


def test_three_weeks_without_a_link_stay_readable_and_keep_every_event():
    spool, minutes = Spool(), 21 * 24 * 60
    for seq in range(1, 2 * minutes + 1):
        spool.append("boot", report(seq, text="door" if seq % 120 == 0 else None))

    ages = [2 * minutes - entry.seq for entry in spool]
    assert ages[0] > 0.99 * 2 * minutes
    assert all(older - newer <= max(1, newer / 1000) for older, newer in pairwise(ages))
    assert sum(entry.has_events for entry in spool) == 21 * 24
    assert spool.dropped == 0


def test_a_spool_loads_what_its_bounds_allow(disk, timers):
    larger = Spool(JournalWriter(disk, timers.later), Bounds(reports=100))
    for seq in range(1, 101):
        larger.append("boot", report(seq, text="door" if seq % 20 == 0 else None))
    larger.save()

    spool = Spool(JournalWriter(disk, timers.later), Bounds(reports=10))
    spool.save()

    assert len(spool) <= 10
    assert {20, 40, 60, 80, 100} <= {entry.seq for entry in spool}
    assert disk.seqs == [entry.seq for entry in spool]


def test_the_oldest_event_is_dropped_if_only_events_remain():
    spool = Spool(bounds=Bounds(reports=3))
    for seq in range(1, 6):
        spool.append("boot", report(seq, text="door"))

    assert [entry.seq for entry in spool] == [3, 4, 5]
    assert spool.dropped == 2


class FickleDisk:
    """A journal whose disk can be full."""

    def __init__(self) -> None:
        self.stored: dict[int, SpooledReport] = {}
        self.anchors: dict[str, Anchor] = {}
        self.is_full = False
        self.commits = 0

    @property
    def seqs(self) -> list[int]:
        return [entry.seq for entry in self.stored.values()]

    def load(self) -> list[SpooledReport]:
        return list(self.stored.values())

    def load_anchors(self) -> list[Anchor]:
        return list(self.anchors.values())

    def write(self, added, removed, anchors) -> None:
        if self.is_full:
            raise JournalError("no space left on device")
        self.commits += 1
        self.stored |= {entry.position: entry for entry in added}
        for position in removed:
            del self.stored[position]
        self.anchors |= {anchor.clock: anchor for anchor in anchors}


@pytest.fixture
def disk() -> FickleDisk:
    return FickleDisk()


@pytest.fixture
def timers() -> FakeTimers:
    return FakeTimers()


@pytest.fixture
def spool(disk, timers) -> Spool:
    return Spool(JournalWriter(disk, timers.later))


def test_reports_that_are_acknowledged_at_once_are_never_written(spool, disk, timers):
    for seq in range(1, 100):
        spool.append("boot", report(seq))
        timers.wait(0.1)
        spool.acknowledge("boot", seq)
        timers.wait(0.9)
    spool.save()

    assert disk.commits == 0


def test_readings_are_written_together_after_10_seconds(spool, disk, timers):
    for seq in range(1, 12):
        spool.append("boot", report(seq))
        timers.wait(0.99)
    assert (disk.commits, disk.seqs) == (1, list(range(1, 12)))

    timers.wait(100)

    assert disk.commits == 1


def test_an_event_is_written_at_once_with_all_that_waits(spool, disk, timers):
    spool.append("boot", report(1))
    timers.wait(1)
    spool.append("boot", report(2, text="door"))

    assert (disk.commits, disk.seqs) == (1, [1, 2])


def test_acknowledged_reports_are_deleted_with_the_next_commit_or_after_10_minutes(spool, disk, timers):
    for seq in (1, 2):
        spool.append("boot", report(seq, text="door"))
        spool.acknowledge("boot", seq)
    assert (disk.commits, disk.seqs) == (2, [2])

    timers.wait(599)
    assert disk.commits == 2
    spool.append("boot", report(3))
    timers.wait(1)

    assert (disk.commits, disk.seqs) == (3, [])


def test_the_time_of_tms_is_written_at_once_if_it_dates_reports_that_wait(spool, disk, timers):
    spool.set_anchor(Anchor("clock", 1.0, BEGAN))
    spool.append("boot", report(1), clock="clock")
    assert disk.commits == 0
    timers.wait(10)
    assert (disk.commits, list(disk.anchors)) == (1, ["clock"])

    spool.set_anchor(Anchor("other", 1.0, BEGAN))
    spool.set_anchor(Anchor("other", 2.0, BEGAN))

    assert (disk.commits, disk.anchors["other"].elapsed_s) == (2, 1.0)


def test_a_full_disk_loses_nothing_and_pending_reports_are_written_once_there_is_space(spool, disk, timers, caplog):
    spool.append("boot", report(1, text="door"))
    disk.is_full = True
    for seq in range(2, 6):
        spool.append("boot", report(seq, text="door"))
    spool.acknowledge("boot", 3)
    timers.wait(60)

    during = [entry.seq for entry in spool]
    disk.is_full = False
    timers.wait(10)

    assert during == [4, 5]
    assert disk.seqs == [4, 5]
    assert caplog.text.count("kept in memory only") == 1


@pytest.mark.parametrize("position", [0, 3, 10])
def test_pending_reports_after_a_position_are_returned_oldest_first(position):
    spool = Spool()
    for seq in range(1, 11):
        spool.append("boot", report(seq))

    assert [entry.seq for entry in spool.after(position, limit=4)] == list(range(1, 11))[position : position + 4]
    assert spool.count_until(position) == position


def test_positions_continue_after_a_restart(tmp_path, timers):
    path = tmp_path / "spool"
    with closing(SqliteJournal(path, "T-1")) as journal:
        Spool(JournalWriter(journal, timers.later)).append("one", report(1, text="door"))
    with closing(SqliteJournal(path, "T-1")) as journal:
        spool = Spool(JournalWriter(journal, timers.later))
        spool.append("two", report(1))

        assert [(entry.position, entry.boot_id) for entry in spool] == [(1, "one"), (2, "two")]
