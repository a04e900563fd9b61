"""What is about to be deployed, on the machine that deploys it: its environment, its tables, its files."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg

from deploy.aws import AwsError
from deploy.backup.database import Database, rows
from deploy.backup.failure import BackupError, one_line
from deploy.check.result import Text, Unseen, Wrong
from deploy.check.target import Place

ROOT = Path(__file__).resolve().parent.parent.parent


def must_be_named(place: Place) -> None:
    """Raises Unseen on a machine that neither runs TMS nor is told of a database."""
    if not any(place.environment.get(name) for name in ("TMS_PRODUCTION", "TMS_DATABASE_URL", "TMS_DATABASE_URL_FILE")):
        raise Unseen(
            "this machine has no environment of TMS; look from one that has",
            "このマシンには TMS の環境変数がない。サーバー上で実行する",
        )


def environment(place: Place) -> Text:
    """As the release itself judges it: each refusal to start has a number and says what would be right."""
    must_be_named(place)
    done = manage("check", "--deploy")
    if done.returncode:
        faults = [line.strip() for line in done.stderr.splitlines() if "(tms." in line] or [done.stderr.strip()[-300:]]
        raise Wrong("; ".join(faults), "; ".join(faults))
    if place.environment.get("TMS_PRODUCTION") != "1":
        raise Wrong(
            "this is no production environment: TMS_PRODUCTION is not 1", "本番環境ではない: TMS_PRODUCTION が 1 でない"
        )
    return Text("complete, and safe to start with", "必要な変数がそろい、安全に起動できる")


def database(place: Place) -> Text:
    must_be_named(place)
    try:
        with Database.configured().connect() as connection:
            [(version, name)] = rows(connection, "SELECT current_setting('server_version'), current_database()")
    except (psycopg.Error, BackupError, *AwsError) as error:
        raise Wrong(f"no connection: {one_line(error)}", f"接続できない: {one_line(error)}") from None
    return Text(f"PostgreSQL {version} answers for {name}", f"PostgreSQL {version}、データベース {name} に接続できた")


def migrations(place: Place) -> Text:
    must_be_named(place)
    done = manage("showmigrations", "--plan")
    if done.returncode:
        raise Wrong(last_line(done.stderr), last_line(done.stderr))
    waiting = [line.split()[-1] for line in done.stdout.splitlines() if line.startswith("[ ]")]
    if waiting:
        told = f"{len(waiting)}: {', '.join(waiting[:3])}"
        raise Wrong(f"not applied, {told}", f"未適用 {told}")
    return Text("all are applied", "すべて適用済み")


def collected(place: Place) -> Text:
    """The names that pages will use, and whether the files are where the names lead."""
    must_be_named(place)
    done = manage("shell", "--no-imports", "-c", COUNT)
    if done.returncode:
        raise Wrong(last_line(done.stderr), last_line(done.stderr))
    names, missing = map(int, done.stdout.split())
    if not names:
        raise Wrong("nothing is collected", "静的ファイルが収集されていない")
    if missing:
        raise Wrong(f"{missing} of {names} files are not there", f"{names} ファイル中 {missing} がない")
    return Text(f"{names} files are where pages look for them", f"{names} ファイルが所定の場所にある")


COUNT = """
from django.contrib.staticfiles.storage import staticfiles_storage as kept
names = sorted(set(getattr(kept, "hashed_files", {}).values()))
looked_at = names[:: max(1, len(names) // 25)]
print(len(names), sum(not kept.exists(name) for name in looked_at))
"""
"""In a bucket each look is a request: every so many of them will do."""


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
    return (text.strip().splitlines() or ["no word of why"])[-1]
