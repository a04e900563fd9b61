"""A restore goes into a new database, is compared with the manifest, and replaces the current one by its name."""

import contextlib
import json
import threading

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from deploy.backup.postgresql.database import Database
from deploy.backup.postgresql.swap import create, newest_retired, swap

pytestmark = pytest.mark.services

REPORTS = "SELECT count(*), max(received_at) FROM telemetry_report"


def test_restore_drill(vault, capsys):
    """Backup, S3, restore, verify, swap, and swap back: with row counts and times in the log."""
    before = vault.query(REPORTS)
    printed = vault.back_up()
    vault.query("DELETE FROM telemetry_report WHERE seq < 10")
    after = vault.query(REPORTS)
    served = psycopg.connect(vault.environment["TMS_DATABASE_URL"], autocommit=True)

    with contextlib.closing(served):
        restored = vault.script("restore.sh", "--yes")
        assert restored.returncode == 0, restored.stdout + restored.stderr
        with pytest.raises(psycopg.OperationalError):  # connected clients have to reconnect
            served.execute("SELECT 1")

    assert vault.query(REPORTS) == before != after
    [retired] = vault.databases - {vault.name}
    assert retired.startswith(f"{vault.name}_before_")
    assert vault.query(REPORTS, database=retired) == after

    back = vault.script("restore.sh", "--back", "--yes")

    assert back.returncode == 0, back.stderr
    assert vault.query(REPORTS) == after
    with capsys.disabled():
        print(f"\n{printed}{restored.stdout}{back.stdout}")


@pytest.mark.parametrize("how", [[], ["--stream"]], ids=["with a copy", "streamed"])
def test_a_backup_has_no_sessions_of_people(vault, how):
    vault.query("INSERT INTO django_session VALUES ('key', 'data', now() + interval '1 hour')")
    vault.back_up(*how)

    done = vault.run("restore.sh", "--verify-only")

    assert done.returncode == 0, done.stderr
    [new] = vault.databases - {vault.name}
    assert vault.query("SELECT count(*) FROM django_session", database=new) == [(0,)]
    assert vault.query("SELECT count(*) FROM accounts_user", database=new) == [(1,)]
    assert "public.django_session" not in vault.manifest()["rows"]


def test_a_swap_can_be_undone_within_the_same_second(vault):
    """Renaming a small database is faster than that."""
    database = Database(conninfo_to_dict(vault.environment["TMS_DATABASE_URL"]))
    create(database, f"{vault.name}_new")

    retired = [swap(database, f"{vault.name}_new")]
    retired += [swap(database, newest_retired(database)) for _ in range(4)]

    assert len(set(retired)) == len(retired)
    assert vault.databases == {vault.name, retired[-1]}


def test_a_dry_run_shows_the_steps(vault):
    vault.back_up()

    done = vault.run("restore.sh", "--dry-run")

    assert done.returncode == 0
    assert vault.latest["sha256"] in done.stdout
    assert vault.databases == {vault.name}


def test_without_confirmation_nothing_is_swapped(vault):
    vault.back_up()
    vault.query("DELETE FROM telemetry_report")

    done = vault.run("restore.sh")

    assert "Nothing was swapped" in done.stdout
    assert vault.query(REPORTS) == [(0, None)]
    [new] = vault.databases - {vault.name}
    assert vault.run("restore.sh", "--swap", new, "--yes").returncode == 0
    assert vault.query(REPORTS)[0][0] == 1_000


def test_a_damaged_backup_is_not_restored(vault):
    vault.back_up()
    vault.spoil(vault.latest["key"], b"not what was uploaded")

    done = vault.run("restore.sh", "--yes")

    assert done.returncode == 1
    assert "compare its checksum: SHA-256 is " in done.stderr
    assert vault.databases == {vault.name}


def test_a_restore_that_lacks_rows_is_not_swapped(vault):
    vault.back_up()
    manifest = vault.manifest()
    manifest["rows"]["public.fleet_terminal"] = 21
    vault.spoil(f"{vault.latest['key']}.manifest.json", json.dumps(manifest).encode())

    done = vault.run("restore.sh", "--yes")

    assert done.returncode == 1
    assert "public.fleet_terminal has 20 rows, not 21" in done.stderr
    assert f"{vault.name}_before" not in " ".join(vault.databases)


def test_a_backup_of_a_newer_release_is_refused_before_the_download(vault):
    vault.back_up()
    manifest = vault.manifest()
    manifest["migrations"].append(["fleet", "9999_from_the_future"])
    vault.spoil(f"{vault.latest['key']}.manifest.json", json.dumps(manifest).encode())

    done = vault.run("restore.sh", "--yes")

    assert "does not know 1 migrations of the backup (fleet.9999_from_the_future)" in done.stderr
    assert vault.databases == {vault.name}


def test_without_a_backup_the_restore_fails(vault):
    done = vault.run("restore.sh", "--yes")

    assert "db_backup_latest does not exist" in done.stderr
    assert vault.databases == {vault.name}


def test_a_failed_swap_leaves_the_database_open(vault):
    done = vault.run("restore.sh", "--swap", f"{vault.name}_of_nobody", "--yes")

    assert "there is no database" in done.stderr
    assert vault.query("SELECT 1") == [(1,)]
    assert vault.run("restore.sh", "--back", "--yes").stderr.startswith(
        "tms: find the database that was swapped out last: no database"
    )


# As on RDS, where the application's own roles are not superusers, and one superuser is connected


def test_objects_of_the_server_are_not_restored_and_do_not_fail_the_restore(vault):
    with vault.server.connect(vault.name) as superuser:
        superuser.execute("CREATE EXTENSION pg_stat_statements")
        superuser.execute("COMMENT ON SCHEMA public IS 'of somebody else'")
    vault.back_up()

    done = vault.run("restore.sh", "--yes")

    assert done.returncode == 0, done.stderr
    assert vault.query("SELECT extname FROM pg_extension WHERE extname IN ('pg_trgm', 'pg_stat_statements')") == [
        ("pg_trgm",)
    ]
    assert vault.query(REPORTS)[0][0] == 1_000


def test_a_connected_superuser_is_not_terminated_and_awaited(vault):
    database = Database(conninfo_to_dict(vault.environment["TMS_DATABASE_URL"]))
    create(database, f"{vault.name}_new")
    watching = vault.server.connect(vault.name)

    def leave_when_closed() -> None:
        query = "SELECT datallowconn FROM pg_database WHERE datname = %s"
        while watching.execute(query, [vault.name]).fetchone() != (False,):
            pass
        watching.close()

    thread = threading.Thread(target=leave_when_closed)
    thread.start()
    retired = swap(database, f"{vault.name}_new")
    thread.join()

    assert vault.databases == {vault.name, retired}


def test_a_connection_that_ended_by_itself_is_not_awaited(vault, monkeypatch):
    """PostgreSQL answers as for one that goes on: it could not be terminated."""
    database = Database(conninfo_to_dict(vault.environment["TMS_DATABASE_URL"]))
    create(database, f"{vault.name}_new")
    with vault.server.connect(vault.name) as ended:
        pid = ended.info.backend_pid
    terminate = f"SELECT {pid}, false WHERE %s > 0 AND %s::text[] IS NOT NULL"
    monkeypatch.setattr("deploy.backup.postgresql.swap.TERMINATE", terminate)

    retired = swap(database, f"{vault.name}_new")

    assert vault.databases == {vault.name, retired}
