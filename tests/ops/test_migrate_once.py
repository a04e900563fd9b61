"""Every machine of a release may migrate; one of them does."""

import io
import os
import subprocess
import sys
import threading

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tests.support.database.template_db import new_database
from tests.support.polling import DEADLINE_S
from tests.support.servers.tms import ROOT
from tms.lib.db.advisory_lock import advisory_lock
from tms.ops.former_database import BEFORE_1_0
from tms.ops.management.commands.migrate_once import LOCK

AT_ONCE = 2


def migrate_once(*options: str) -> str:
    message = io.StringIO()
    call_command("migrate_once", *options, stdout=message)
    return message.getvalue()


@pytest.mark.embedded
@pytest.mark.both
@pytest.mark.django_db
def test_an_up_to_date_database_is_not_changed():
    assert migrate_once() == "Nothing to migrate.\n"


@pytest.mark.embedded
@pytest.mark.both
@pytest.mark.django_db
def test_a_database_of_a_release_before_1_0_is_refused():
    MigrationRecorder(connection).record_applied(*BEFORE_1_0)

    with pytest.raises(CommandError, match=r"of a release before 1\.0 and cannot be updated: migrate an empty one"):
        call_command("migrate", verbosity=0)


@pytest.mark.services
def test_of_two_concurrent_processes_one_migrates_and_both_return_when_it_is_done():
    env = os.environ | {"TMS_DATABASE_URL": new_database(os.environ["TMS_DATABASE_URL"])}
    command = [sys.executable, "manage.py", "migrate_once", "--first-time", "--verbosity", "0"]
    started = [
        subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(AT_ONCE)
    ]

    ended = [(*process.communicate(), process.returncode) for process in started]

    assert [(errors, status) for _, errors, status in ended] == [("", 0)] * AT_ONCE
    assert sorted(message for message, _, _ in ended) == ["Migrated.\n"] + ["Nothing to migrate.\n"] * (AT_ONCE - 1)


@pytest.fixture
def busy(db):
    """Another process holds the lock."""
    taken, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with advisory_lock(LOCK, wait_s=0):
            taken.set()
            may_end.wait(DEADLINE_S)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(DEADLINE_S)
    yield
    may_end.set()
    thread.join()


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_waiting_too_long_for_another_process_is_reported(busy):
    with pytest.raises(CommandError, match="another process is migrating and did not finish within 0 s"):
        migrate_once("--wait", "0")


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_failed_migration_releases_the_lock():
    with pytest.raises(ValueError, match="failed"), advisory_lock(7, wait_s=0):
        raise ValueError("failed")

    got = threading.Event()

    def take() -> None:
        with advisory_lock(7, wait_s=0):
            got.set()
        connection.close()

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    assert got.is_set()


class SeenEnoughError(Exception):
    pass


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_waiting_is_done_by_polling_without_an_open_statement(busy):
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise SeenEnoughError

    with pytest.raises(SeenEnoughError), advisory_lock(LOCK, wait_s=3_600, pause=pause):
        pass

    assert pauses == [1.0, 1.0, 1.0]
