"""A migration that cannot lock its table does not block other processes, and retries."""

import os
import subprocess
import sys

import psycopg
import pytest

from tests.support.database.template_db import copy_database, name_of, new_database
from tests.support.servers.tms import ROOT

pytestmark = pytest.mark.services

LOCKED = """
import os, sys, psycopg
from tms.ops import patient_migrate
patient_migrate.LOCK_TIMEOUT_MS, patient_migrate.TRIES = 50, 3
other = psycopg.connect(os.environ["TMS_DATABASE_URL"])
other.execute("LOCK TABLE fleet_site IN ACCESS SHARE MODE")
pauses = []
def pause(seconds):
    pauses.append(seconds)
    if len(pauses) == {free_after}:
        other.rollback()
try:
    patient_migrate.migrate_patiently(sys.stdout, verbosity=0, pause=pause)
except patient_migrate.LockedOut as error:
    print(f"LockedOut: {{error}}")
print("pauses:", pauses)
"""
BEFORE = ("fleet", "0006")
"""The following migration changes fleet_site, which the application reads constantly."""


def manage(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=os.environ | {"TMS_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def behind() -> str:
    """The name of a database that lacks one migration. Tests use copies of it."""
    url = copy_database(os.environ["TMS_DATABASE_URL"])
    done = manage(url, "migrate", *BEFORE, "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    return name_of(url)


@pytest.fixture
def url(behind: str) -> str:
    """The address of a database that lacks one migration."""
    return new_database(os.environ["TMS_DATABASE_URL"], template=behind)


def is_applied(url: str) -> bool:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT 1 FROM django_migrations WHERE app = 'fleet' AND name LIKE '0007%'")
        return found.fetchone() is not None


def test_a_locked_table_is_released_and_retried(url):
    done = manage(url, "shell", "--no-imports", "-c", LOCKED.format(free_after=2))

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("A table is locked; retrying in 10 s") == 2
    assert "pauses: [10.0, 10.0]" in done.stdout
    assert is_applied(url)


def test_a_table_that_stays_locked_ends_it_with_the_next_step(url):
    done = manage(url, "shell", "--no-imports", "-c", LOCKED.format(free_after=0))

    assert "LockedOut: a table stayed locked for" in done.stdout
    assert "docs/runbook.md#a-migration-cannot-lock-its-table" in done.stdout
    assert not is_applied(url)


def test_a_starting_machine_does_not_change_tables_in_use(url):
    refused = manage(url, "migrate_once", "--first-time")
    done = manage(url, "migrate_once", "--verbosity", "0")
    again = manage(url, "migrate_once", "--first-time")

    assert refused.returncode == 1
    assert "migrations of this release are not applied, the first is fleet.0007" in refused.stderr
    assert "run `python -m deploy.pipeline migrate` before the release moves" in refused.stderr
    assert (done.returncode, done.stdout) == (0, "Migrated.\n")
    assert (again.returncode, again.stdout) == (0, "Nothing to migrate.\n")
