"""Checks of what is about to be deployed, on the machine that deploys it: environment, migrations, files."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg

from deploy.aws import AwsError
from deploy.backup.failure import BackupFailed, one_line
from deploy.backup.postgresql.database import Database, rows
from deploy.check.result import Failed, Skipped, Text
from deploy.check.target import CheckTarget

ROOT = Path(__file__).resolve().parent.parent.parent


def must_have_environment(target: CheckTarget) -> None:
    """Raises Skipped on a machine that has no settings of TMS."""
    if not any(
        target.environment.get(name) for name in ("TMS_PRODUCTION", "TMS_DATABASE_URL", "TMS_DATABASE_URL_FILE")
    ):
        raise Skipped(
            "no environment of TMS on this machine; run this on a server of TMS",
            "このマシンには TMS の環境変数がない。サーバー上で実行する",
        )


def environment(target: CheckTarget) -> Text:
    """The system checks of the release itself: each has a number, and describes what is expected."""
    must_have_environment(target)
    process = manage("check", "--deploy")
    if process.returncode:
        faults = [line.strip() for line in process.stderr.splitlines() if "(tms." in line]
        reason = "; ".join(faults) or process.stderr.strip()[-300:]
        raise Failed(reason, reason)
    if target.environment.get("TMS_PRODUCTION") != "1":
        raise Failed(
            "not a production environment: TMS_PRODUCTION is not 1", "本番環境ではない: TMS_PRODUCTION が 1 でない"
        )
    return Text("complete and safe", "必要な変数がそろい、安全に起動できる")


def database(target: CheckTarget) -> Text:
    must_have_environment(target)
    try:
        with Database.configured().connect() as connection:
            [(version, name)] = rows(connection, "SELECT current_setting('server_version'), current_database()")
    except (psycopg.Error, BackupFailed, *AwsError) as error:
        raise Failed(f"no connection: {one_line(error)}", f"接続できない: {one_line(error)}") from None
    return Text(
        f"connected to {name} (PostgreSQL {version})", f"PostgreSQL {version}、データベース {name} に接続できた"
    )


def migrations(target: CheckTarget) -> Text:
    must_have_environment(target)
    process = manage("showmigrations", "--plan", "--skip-checks")
    if process.returncode:
        raise Failed(last_line(process.stderr), last_line(process.stderr))
    unapplied = [line.split()[-1] for line in process.stdout.splitlines() if line.startswith("[ ]")]
    if unapplied:
        names = f"{len(unapplied)}: {', '.join(unapplied[:3])}"
        raise Failed(f"not applied, {names}", f"未適用 {names}")
    return Text("all applied", "すべて適用済み")


def collected(target: CheckTarget) -> Text:
    """Whether the files exist to which the names on pages lead."""
    must_have_environment(target)
    process = manage("shell", "--no-imports", "-c", COUNT_MISSING_FILES)
    if process.returncode:
        raise Failed(last_line(process.stderr), last_line(process.stderr))
    names, missing = map(int, process.stdout.split())
    if not names:
        raise Failed("no static files collected", "静的ファイルが収集されていない")
    if missing:
        raise Failed(f"{missing} of {names} files are missing", f"{names} ファイル中 {missing} がない")
    return Text(f"{names} files collected", f"{names} ファイルを収集済み")


COUNT_MISSING_FILES = """
from django.contrib.staticfiles.storage import staticfiles_storage as storage
names = sorted(set(getattr(storage, "hashed_files", {}).values()))
sample = names[:: max(1, len(names) // 25)]
print(len(names), sum(not storage.exists(name) for name in sample))
"""
"""A sample of the files, because each one in a bucket costs a request."""


def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        cwd=ROOT,
        env=os.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]
