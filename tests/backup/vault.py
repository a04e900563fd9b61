"""A database with backups, as the tests of backups need it."""

import contextlib
import io
import json
import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from deploy.backup.__main__ import main
from deploy.processes.tms_process import ROOT
from tests.support.servers.aws import Moto
from tests.support.services import PostgreSQL

type Done = subprocess.CompletedProcess[str]

BUCKET = "tms-123456789012-backups"
OPEN_BUCKET = "tms-123456789012-open"
PASSWORD = "in-no-argument-of-anybody"
LATEST = "database/db_backup_latest"


class BackupSetup(NamedTuple):
    """The database of one TMS, and its backups."""

    name: str
    server: PostgreSQL
    moto: Moto
    environment: Mapping[str, str]
    folder: Path

    def run(self, script: str, *arguments: str, **environment: str) -> Done:
        """The same code as the script, in this process, which is enough for most tests."""
        out, err = io.StringIO(), io.StringIO()
        command = {"backup.sh": "take", "restore.sh": "restore"}[script]
        with (
            mock.patch.dict(os.environ, {**self.environment, **environment}, clear=True),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main([command, *arguments])
        return subprocess.CompletedProcess([], code, out.getvalue(), err.getvalue())

    def script(self, script: str, *arguments: str) -> Done:
        return subprocess.run(
            [ROOT / "deploy" / script, *arguments],
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def back_up(self, *arguments: str, **environment: str) -> str:
        """The output; the command must succeed."""
        done = self.run("backup.sh", *arguments, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def query(self, sql: str, *, database: str = "") -> list[tuple[Any, ...]]:
        with self.server.connect(database or self.name) as connection:
            cursor = connection.execute(sql)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    @property
    def databases(self) -> set[str]:
        return {name for (name,) in self.query("SELECT datname FROM pg_database") if name.startswith(f"{self.name}")}

    @property
    def keys(self) -> set[str]:
        """Keys in the bucket."""
        found = self.moto.client("s3").list_objects_v2(Bucket=BUCKET)
        return {one["Key"] for one in found.get("Contents", [])}

    @property
    def latest(self) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(self.moto.client("s3").get_object(Bucket=BUCKET, Key=LATEST)["Body"].read())
        return result

    def spoil(self, key: str, contents: bytes) -> None:
        self.moto.client("s3").put_object(Bucket=BUCKET, Key=key, Body=contents)

    def manifest(self) -> dict[str, Any]:
        body = self.moto.client("s3").get_object(Bucket=BUCKET, Key=f"{self.latest['key']}.manifest.json")["Body"]
        result: dict[str, Any] = json.loads(body.read())
        return result

    def metric(self, metric: str) -> list[tuple[float, str]]:
        """The data point in CloudWatch with this name: value and unit."""
        with_values = self.moto.client("cloudwatch").get_metric_data(
            MetricDataQueries=[
                {
                    "Id": "all",
                    "MetricStat": {"Metric": {"Namespace": "TMS", "MetricName": metric}, "Period": 60, "Stat": "Sum"},
                }
            ],
            StartTime=datetime.now(UTC) - timedelta(minutes=10),
            EndTime=datetime.now(UTC) + timedelta(minutes=2),
        )
        return [(value, metric) for value in with_values["MetricDataResults"][0]["Values"]]
