"""The commands that a terminal remembers on disk."""

import sqlite3

import pytest

from tms_agent.storage import command_journal
from tms_agent.storage.command_journal import CommandJournal


@pytest.fixture
def path(tmp_path):
    return tmp_path / "spool.commands"


@pytest.fixture
def journal(path):
    journal = CommandJournal(path)
    yield journal
    journal.close()


def test_the_oldest_commands_are_forgotten(journal, monkeypatch):
    monkeypatch.setattr(command_journal, "MOST", 3)
    journal.begin("c0", "same")
    for number in range(1, 5):
        journal.begin(f"c{number}", "same")
        journal.finish(f"c{number}", b"done")

    assert [each.id for each in journal.unconfirmed()] == ["c2", "c3", "c4"]
    assert [each.id for each in journal.unfinished()] == ["c0"]


def test_large_answers_are_forgotten_earlier(journal):
    for number in range(6):
        journal.begin(f"c{number}", "same")
        journal.finish(f"c{number}", b"x" * 2_000_000)

    journal.begin("c6", "same")

    assert [each.id for each in journal.unconfirmed()] == ["c2", "c3", "c4", "c5"]


def test_a_file_of_a_result_ends_with_its_command(journal):
    file = journal.begin("c1", "same")
    file.write_text("1")
    again = journal.begin("c1", "other")

    assert again == file
    assert not file.exists()

    file.write_text("2")
    journal.finish("c1", b"2")

    assert not file.exists()


def test_a_damaged_file_is_kept_aside(path, caplog):
    path.write_bytes(b"SQLite format 3\0" + b"x" * 5_000)

    journal = CommandJournal(path)
    journal.begin("c1", "same")
    found = journal.find("c1", "same")
    journal.close()

    assert found == ("c1", None)
    assert path.with_name("spool.commands.damaged").exists()
    assert "was damaged" in caplog.text


def test_a_full_disk_keeps_no_command_from_running(path, journal, caplog):
    """A handler may be what makes room on it. A database that must not grow stands for the disk."""
    with sqlite3.connect(path) as other:
        pages = other.execute("PRAGMA page_count").fetchone()[0]
    other.close()
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")

    journal.begin("c1", "same")
    journal.finish("c1", b"x" * 100_000)
    journal.confirm("c1")
    journal.begin("c2", "same")

    assert caplog.text.count("commands are not recorded until") == 1
    assert journal.find("c2", "same") == ("c2", None)


def test_a_folder_that_cannot_be_written_keeps_no_command_from_running(tmp_path, caplog):
    journal = CommandJournal(tmp_path / "missing" / "spool.commands")
    journal.begin("c1", "same")

    assert journal.find("c1", "same") == ("c1", None)
    assert "commands are not recorded until" in caplog.text
    journal.close()
