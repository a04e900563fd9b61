"""What a power cut leaves of a spool: every event, every older reading, in order, and never a spool that cannot open.

SQLite has written all of a commit when it returns: the files of an instant are what a power cut then leaves. A cut
during a commit leaves a part of what SQLite writes, to its log or, at a checkpoint, to the database.
"""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from tests.agent.fake_timers import FakeTimers
from tms_agent.protocol import frames
from tms_agent.storage.entry import SpooledReport
from tms_agent.storage.journal import SqliteJournal
from tms_agent.storage.spool import Bounds, Spool
from tms_agent.storage.writer import READINGS_S, REMOVALS_S, JournalWriter

AT = datetime(2026, 11, 25, tzinfo=UTC)
STEPS = 150


class Terminal:
    """A spool in simulated time, and what became of each report."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.timers = FakeTimers()
        self.journal = SqliteJournal(path, "T-1")
        self.spool = Spool(JournalWriter(self.journal, self.timers.later), Bounds(reports=25, bytes=10_000))
        self.made: dict[int, tuple[SpooledReport, float]] = {}
        self.gone: dict[int, float] = {}
        self.boots = 1
        self.seq = 0

    def step(self, random: random.Random) -> None:
        random.choices((self.append, self.happen, self.boot), (60, 20, 3))[0]()
        self.note()
        if random.random() < 0.1:
            self.spool.acknowledge(f"boot-{random.randint(1, self.boots)}", random.randint(1, self.seq + 1))
        self.note()
        self.timers.wait(random.choices((0.1, 1.0, READINGS_S, REMOVALS_S), (50, 40, 5, 5))[0])

    def happen(self) -> None:
        self.append(frames.TerminalEvent(AT, "door_open", text="x" * 200))

    def append(self, *events: frames.TerminalEvent) -> None:
        self.seq += 1
        self.spool.append(f"boot-{self.boots}", frames.ReportFrame(self.seq, AT, "ok", {"load_1m": 0.5}, events))

    def boot(self) -> None:
        self.boots += 1
        self.seq = 0

    def note(self) -> None:
        held = {entry.position: entry for entry in self.spool}
        self.made = {position: (entry, self.timers.now) for position, entry in held.items()} | self.made
        self.gone |= dict.fromkeys(self.made.keys() - held.keys() - self.gone.keys(), self.timers.now)

    def must_survive(self, entry: SpooledReport) -> bool:
        return entry.has_events or self.timers.now - self.made[entry.position][1] >= READINGS_S

    def may_survive(self, position: int) -> bool:
        return position not in self.gone or self.timers.now - self.gone[position] < REMOVALS_S


@pytest.fixture
def terminal(tmp_path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path / "spool")
    yield terminal
    terminal.journal.close()


def files_after_power_cut(path: Path, folder: Path) -> Path:
    folder.mkdir()
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{path}{suffix}", folder / f"spool{suffix}")
    return folder / "spool"


def entries_in(path: Path) -> list[SpooledReport]:
    with closing(SqliteJournal(path, "T-1")) as journal:
        entries = list(journal.load())
    assert not list(path.parent.glob("*damaged*"))
    return entries


def test_whenever_power_is_cut_events_and_older_readings_survive_in_order(terminal, tmp_path):
    dice = random.Random(1)
    for number in range(STEPS):
        terminal.step(dice)

        survivors = entries_in(files_after_power_cut(terminal.path, tmp_path / str(number)))

        assert all(before.position < after.position for before, after in pairwise(survivors))
        assert all(terminal.made[one.position][0] == one and terminal.may_survive(one.position) for one in survivors)
        assert {one for one in terminal.spool if terminal.must_survive(one)} <= set(survivors)
    assert terminal.spool.thinned
    assert terminal.spool.dropped
    assert terminal.boots > 2


@pytest.fixture
def three_commits(terminal, tmp_path) -> tuple[Path, list[int]]:
    """The files after three commits of one event each, and the length of the log after each commit."""
    lengths = []
    for _ in range(3):
        terminal.happen()
        lengths.append(Path(f"{terminal.path}-wal").stat().st_size)
    return files_after_power_cut(terminal.path, tmp_path / "whole"), lengths


@pytest.mark.parametrize("tail", [b"", b"\0", b"\xa5"], ids=["missing", "zeros", "noise"])
def test_a_commit_of_which_a_part_was_written_is_undone_as_a_whole(three_commits, tmp_path, tail):
    whole, lengths = three_commits
    log = Path(f"{whole}-wal").read_bytes()
    start = lengths[0] - 200
    boundaries = [end + offset for end in lengths for offset in (-1, 0, 1)]

    for length in sorted({*range(start, len(log), 97), *boundaries} - {len(log) + 1}):
        cut = files_after_power_cut(whole, tmp_path / str(length))
        Path(f"{cut}-wal").write_bytes(log[:length] + tail * (len(log) - length))

        seqs = [entry.seq for entry in entries_in(cut)]

        assert seqs == list(range(1, 1 + sum(end <= length for end in lengths)))


def test_a_checkpoint_of_which_a_part_was_written_is_completed(three_commits, tmp_path):
    whole, _ = three_commits
    done = files_after_power_cut(whole, tmp_path / "done")
    with closing(sqlite3.connect(done)) as connection:
        [size] = connection.execute("PRAGMA page_size").fetchone()
        connection.execute("PRAGMA wal_checkpoint(FULL)")
    before, after = whole.read_bytes(), done.read_bytes()

    assert before != after
    for length in range(0, len(after) + 1, size // 2):
        cut = files_after_power_cut(whole, tmp_path / str(length))
        cut.write_bytes(after[:length] + before[length:])

        assert [entry.seq for entry in entries_in(cut)] == [1, 2, 3]
