"""A migration that cannot lock its table does not block other processes, and retries."""

import os
import subprocess
import sys

import pytest

from tests.support.database import next_telemetry
from tests.support.database.template_db import copy_database
from tests.support.servers.tms import ROOT

pytestmark = pytest.mark.services

LOCKED = """
import os, sys, psycopg
from tms.ops import patient_migrate
patient_migrate.LOCK_TIMEOUT_MS, patient_migrate.TRIES = 50, 3
for free_after in (None, 2):
    other = psycopg.connect(os.environ["TMS_DATABASE_URL"])
    other.execute("LOCK TABLE telemetry_report IN ACCESS SHARE MODE")
    pauses = []
    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == free_after:
            other.rollback()
    try:
        patient_migrate.migrate_patiently(sys.stdout, verbosity=0, pause=pause)
    except patient_migrate.LockedOut as error:
        print(f"LockedOut: {error}")
    print("pauses:", pauses)
    [(columns,)] = other.execute("SELECT count(*) FROM pg_attribute WHERE attname = 'note' AND attnum > 0"
        " AND attrelid = 'telemetry_report'::regclass")
    print("columns:", columns)
    other.close()
"""
"""Migrates twice while another connection reads the table: without end, and until the second attempt has failed."""
LATER = f"""
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tms.config.settings")
from django.conf import settings
settings.MIGRATION_MODULES = {dict(next_telemetry.MODULES)}
import manage
manage.main()
"""
"""`manage.py` of a release with one more migration, which changes telemetry_report."""


def manage(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LATER, *words],
        cwd=ROOT,
        env=os.environ | {"TMS_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def url() -> str:
    """The address of a database that lacks the migration."""
    return copy_database(os.environ["TMS_DATABASE_URL"])


def test_a_locked_table_is_released_and_retried_and_after_the_last_attempt_the_next_step_is_printed(url):
    done = manage(url, "shell", "--no-imports", "-c", LOCKED)

    gave_up, migrated = done.stdout.split("columns: 0\n")
    assert done.returncode == 0, done.stderr
    assert gave_up.count("A table is locked; retrying in 10 s") == 2
    assert "LockedOut: a table stayed locked for" in gave_up
    assert "docs/runbook.md#a-migration-cannot-lock-its-table" in gave_up
    assert migrated.count("A table is locked; retrying in 10 s") == 2
    assert "LockedOut" not in migrated
    assert migrated.endswith("pauses: [10.0, 10.0]\ncolumns: 1\n")


def test_a_starting_machine_does_not_change_tables_in_use(url):
    refused = manage(url, "migrate_once", "--first-time")
    done = manage(url, "migrate_once", "--verbosity", "0")
    again = manage(url, "migrate_once", "--first-time")

    assert refused.returncode == 1
    assert "migrations of this release are not applied, the first is telemetry.0002_note" in refused.stderr
    assert "run `python -m deploy.pipeline migrate` before the release moves" in refused.stderr
    assert (done.returncode, done.stdout) == (0, "Migrated.\n")
    assert (again.returncode, again.stdout) == (0, "Nothing to migrate.\n")
