"""The spool file on disk."""

import sqlite3
import stat
import sys
from contextlib import closing
from datetime import UTC, datetime

import pytest

from tests.agent.fake_timers import FakeTimers
from tms_agent.protocol import frames
from tms_agent.storage.journal import SpoolError, SqliteJournal
from tms_agent.storage.spool import Spool
from tms_agent.storage.writer import JournalWriter


def fill(path, number: int = 3) -> None:
    with closing(SqliteJournal(path, "T-1")) as journal:
        spool = Spool(JournalWriter(journal, FakeTimers().later))
        for seq in range(1, number + 1):
            spool.append("boot", frames.ReportFrame(seq, datetime.now(UTC)))
        spool.save()


def test_its_folder_is_created_and_only_its_owner_may_read_it(tmp_path):
    path = tmp_path / "state" / "agent" / "spool"

    fill(path)

    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_of_another_kind_is_refused_and_not_changed(tmp_path):
    path = tmp_path / "notes"
    path.write_text("my notes")

    with pytest.raises(SpoolError, match="notes is not a spool; use the path of a spool or of a new file"):
        SqliteJournal(path, "T-1")

    assert path.read_text() == "my notes"


def test_a_database_of_another_program_is_refused_and_not_changed(tmp_path):
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as shop:
        shop.execute("PRAGMA application_id = 42")
        shop.execute("CREATE TABLE sale (id)")

    with pytest.raises(SpoolError, match="is not a spool"):
        SqliteJournal(path, "T-1")


def test_a_spool_of_another_terminal_is_refused(tmp_path):
    fill(tmp_path / "spool")

    with pytest.raises(SpoolError, match="contains reports of T-1, not of T-2; use a separate spool for each terminal"):
        SqliteJournal(tmp_path / "spool", "T-2")


def test_a_spool_that_is_in_use_is_refused(tmp_path):
    path = tmp_path / "spool"

    with closing(SqliteJournal(path, "T-1")), pytest.raises(SpoolError, match="in use: another agent runs"):
        SqliteJournal(path, "T-1")


def test_a_path_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(SpoolError, match=r"cannot be used as spool: .*; give a writable path with --spool"):
        SqliteJournal(tmp_path / "file" / "spool", "T-1")


def test_a_damaged_spool_is_moved_aside_and_a_new_one_is_created(tmp_path, caplog):
    path = tmp_path / "spool"
    fill(path, number=200)
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xee" * (len(data) - 4096)
    path.write_bytes(data)

    with closing(SqliteJournal(path, "T-1")) as journal:
        assert list(journal.load()) == []

    assert [one.read_bytes() for one in tmp_path.glob("spool.damaged-*")] == [bytes(data)]
    assert "the spool was damaged" in caplog.text


def test_a_successful_sign_in_is_stored_in_the_spool(tmp_path):
    path = tmp_path / "spool"
    with closing(SqliteJournal(path, "T-1")) as journal:
        assert not journal.was_accepted
        journal.remember_accepted()

    with closing(SqliteJournal(path, "T-1")) as journal:
        assert journal.was_accepted
