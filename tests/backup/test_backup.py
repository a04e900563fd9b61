"""A backup succeeds only if it was verified in S3; otherwise it fails with the reason in one line."""

import contextlib
import hashlib
import os
import re
import shutil
import time
from pathlib import Path

import pytest

from deploy.backup.take import LOCK
from tests.backup.vault import BUCKET, LATEST, OPEN_BUCKET, PASSWORD, BackupSetup
from tests.faults.stores.tmpfs import SmallDisk, needs_root
from tests.support.services import HOST, free_port

pytestmark = pytest.mark.services


def only_line(stderr: str) -> str:
    [line] = stderr.strip().splitlines()
    return line


def test_a_backup_is_stored_completely_and_encrypted_before_it_succeeds(vault):
    done = vault.script("backup.sh")

    assert done.returncode == 0, done.stderr
    printed = done.stdout
    key = vault.latest["key"]
    s3 = vault.moto.client("s3")
    stored = s3.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
    assert vault.keys == {key, f"{key}.sha256", f"{key}.manifest.json", LATEST}
    assert stored["ServerSideEncryption"]
    assert stored["ChecksumSHA256"]
    assert stored["ContentLength"] == vault.latest["size"] > 10_000
    assert re.search(r"dump the database: [\d.]+ KiB, \d+ tables, [\d,]+ rows \([\d.]+ s\)", printed)
    assert vault.metric("BackupSuccess") == [(1.0, "BackupSuccess")]
    assert len(vault.metric("BackupAge")) == 1


def test_the_manifest_counts_the_rows_of_the_dump(vault):
    vault.back_up()

    result = vault.manifest()
    assert result["rows"]["public.fleet_terminal"] == 20
    assert sum(rows for table, rows in result["rows"].items() if table.startswith("public.telemetry_report")) == 1_000
    assert result["latest_report_at"] is not None
    assert result["unproven"] == []


def test_no_password_is_on_a_command_line(vault, recorded, tmp_path):
    vault.back_up(**recorded("pg_dump"))

    arguments = (tmp_path / "recorded/arguments").read_text()
    assert "--format=custom" in arguments
    assert PASSWORD not in arguments


def test_a_password_that_rds_rotates_comes_from_secrets_manager(vault):
    secret = vault.moto.client("secretsmanager").create_secret(
        Name="rds", SecretString=f'{{"username": "app", "password": "{PASSWORD}"}}'
    )

    without = f"postgres://{HOST}:{vault.server.port}/{vault.name}"
    vault.back_up(TMS_DATABASE_URL=without, TMS_DATABASE_SECRET=secret["ARN"])

    assert vault.latest["size"] > 10_000


def test_two_backups_are_not_made_concurrently(vault):
    with contextlib.closing(vault.server.connect(vault.name)) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK])

        done = vault.run("backup.sh")

    assert done.returncode == 75
    assert "another backup" in only_line(done.stderr)
    assert vault.metric("BackupSuccess") == []


def test_of_many_machines_one_makes_a_backup(vault):
    vault.back_up()
    before = vault.keys

    done = vault.run("backup.sh", "--unless-younger", "20")

    assert done.returncode == 0
    assert "recent enough" in done.stdout
    assert vault.keys == before


def test_local_copies_are_deleted_after_thirty_days(vault):
    folder = Path(vault.environment["BACKUP_FOLDER"])
    folder.mkdir()
    for name, days in {"db_backup_old.dump": 31, "db_backup_new.dump": 29, "something-else": 99}.items():
        (folder / name).touch()
        os.utime(folder / name, (time.time() - days * 86_400,) * 2)

    vault.back_up()

    assert not (folder / "db_backup_old.dump").exists()
    assert (folder / "db_backup_new.dump").exists()
    assert (folder / "something-else").exists()


CUT_OFF = 'for word in "$@"; do [[ $word != --file=* ]] || truncate --size=-20000 "${word#--file=}"; done'
"""Effects of a full disk, a broken network or a killed process."""


def test_a_truncated_dump_is_not_a_backup(vault, recorded):
    done = vault.run("backup.sh", **recorded("pg_dump", then=CUT_OFF))

    assert done.returncode == 1
    assert "verify the dump: " in only_line(done.stderr)
    must_have_failed(vault)


def test_a_folder_that_is_not_writable_is_reported(vault, tmp_path):
    (tmp_path / "file").touch()

    done = vault.run("backup.sh", "--folder", str(tmp_path / "file/backups"))

    assert only_line(done.stderr).startswith("tms: prepare the folder: ")
    assert str(tmp_path / "file") in done.stderr
    must_have_failed(vault)


@pytest.mark.skipif(bool(needs_root()), reason=needs_root())
def test_a_full_disk_is_reported_and_left_clean(vault, tmp_path):
    disk = SmallDisk(tmp_path / "disk", mib=1)
    disk.mount()
    try:
        disk.fill()

        done = vault.run("backup.sh", "--folder", str(disk.folder))

        assert "dump the database: " in only_line(done.stderr)
        assert "No space left on device" in done.stderr
        assert not list(disk.folder.glob("db_backup*"))
        must_have_failed(vault)
    finally:
        disk.unmount()


def test_an_unavailable_store_is_reported(vault):
    done = vault.run("backup.sh", AWS_ENDPOINT_URL_S3=f"http://{HOST}:{free_port()}")

    assert only_line(done.stderr).startswith("tms: reach the bucket: Could not connect")
    must_have_failed(vault)


def test_a_missing_bucket_is_reported(vault):
    done = vault.run("backup.sh", "--bucket", "somebody-elses")

    assert only_line(done.stderr).startswith("tms: reach the bucket: ")
    must_have_failed(vault)


def test_a_store_without_encryption_is_refused(vault):
    done = vault.run("backup.sh", "--bucket", OPEN_BUCKET)

    assert "upload it: S3 stored it without encryption" in only_line(done.stderr)
    assert vault.metric("BackupSuccess") == [(0.0, "BackupSuccess")]
    assert vault.keys == set()


def test_an_unavailable_database_is_reported_without_its_password(vault):
    url = f"postgres://app:{PASSWORD}@{HOST}:{free_port()}/tms"

    done = vault.run("backup.sh", TMS_DATABASE_URL=url)

    assert only_line(done.stderr).startswith("tms: reach the database: ")
    assert PASSWORD not in done.stderr + done.stdout
    must_have_failed(vault)


# Straight into S3


def test_a_streamed_backup_leaves_no_file_on_the_disk_and_restores(vault):
    reports = vault.query("SELECT count(*) FROM telemetry_report")
    printed = vault.back_up("--stream")

    key = vault.latest["key"]
    stored = vault.moto.client("s3").get_object(Bucket=BUCKET, Key=key)
    assert not vault.folder.joinpath("backups").exists()
    assert vault.keys == {key, f"{key}.sha256", f"{key}.manifest.json", LATEST}
    assert stored["ServerSideEncryption"]
    assert hashlib.sha256(stored["Body"].read()).hexdigest() == vault.latest["sha256"]
    assert re.search(r"to S3, and verify the stream: [\d.]+ KiB, \d+ tables, [\d,]+ rows", printed)
    assert vault.metric("BackupSuccess") == [(1.0, "BackupSuccess")]
    vault.query("DELETE FROM telemetry_report")
    assert vault.run("restore.sh", "--yes").returncode == 0
    assert vault.query("SELECT count(*) FROM telemetry_report") == reports


BROKEN = {
    "ends badly": {"then": "exit 1"},
    "is cut off": {"instead": 'head --bytes=20000 <(REAL "$@" 2>/dev/null)'},
}


@pytest.mark.parametrize("how", BROKEN.values(), ids=BROKEN)
def test_a_broken_stream_leaves_nothing_in_s3(how, vault, recorded):
    done = vault.run("backup.sh", "--stream", **recorded("pg_dump", **how))

    assert done.returncode == 1
    assert only_line(done.stderr).startswith("tms: dump the database to S3, and verify the stream: ")
    must_have_failed(vault)
    assert not vault.moto.client("s3").list_multipart_uploads(Bucket=BUCKET).get("Uploads")


def test_a_store_without_encryption_gets_no_stream(vault):
    done = vault.run("backup.sh", "--stream", "--bucket", OPEN_BUCKET)

    assert "S3 stored it without encryption" in only_line(done.stderr)


def test_a_disk_without_space_is_not_filled(vault, monkeypatch):
    vault.back_up()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**6, 10**6, 100))

    done = vault.run("backup.sh")
    restored = vault.run("restore.sh", "--yes")

    assert "100 bytes free" in only_line(done.stderr)
    assert "--stream" in done.stderr
    assert "100 bytes free" in only_line(restored.stderr)


def must_have_failed(vault: BackupSetup) -> None:
    assert vault.keys == set()
    assert vault.metric("BackupSuccess") == [(0.0, "BackupSuccess")]
    assert vault.metric("BackupAge") == []
    assert not list(vault.folder.glob("backups/db_backup*"))
