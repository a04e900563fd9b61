"""A PostgreSQL with one seeded database, of which each test gets a copy, and AWS with a bucket for backups."""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from deploy.processes.tms_process import ROOT, clean_environment
from tests.backup.vault import BUCKET, OPEN_BUCKET, PASSWORD, BackupSetup
from tests.support.database import template_db
from tests.support.servers.aws import REGION, Moto
from tests.support.services import HOST, PostgreSQL

TEMPLATE = "seeded"
SEED = "from tests.backup import seed; seed.seed()"


@pytest.fixture(scope="package")
def server() -> Iterator[PostgreSQL]:
    """Its role `app` is not a superuser, as on RDS."""
    with PostgreSQL() as server:
        with server.connect() as connection:
            connection.execute(f"CREATE ROLE app LOGIN CREATEDB PASSWORD '{PASSWORD}'")  # type: ignore[arg-type]
            connection.execute(f"CREATE DATABASE {TEMPLATE} OWNER app")  # type: ignore[arg-type]
        environment = clean_environment() | {"TMS_DATABASE_URL": url_of(server, TEMPLATE)}
        template_db.restore(environment["TMS_DATABASE_URL"])
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", SEED]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        yield server


@pytest.fixture(scope="package")
def moto() -> Iterator[Moto]:
    with Moto() as moto:
        yield moto


@pytest.fixture
def vault(server: PostgreSQL, moto: Moto, tmp_path: Path) -> BackupSetup:
    """A database and an empty account for each test, and the environment of the scripts."""
    moto.reset()
    make_bucket(moto.client("s3"), BUCKET)
    make_bucket(moto.client("s3"), OPEN_BUCKET, is_encrypted=False)
    name = f"tms_{next(NUMBERS)}"
    with server.connect("postgres") as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER app")  # type: ignore[arg-type]
    environment = (
        clean_environment()
        | dict(moto.env)
        | {
            "TMS_DATABASE_URL": url_of(server, name),
            "BACKUP_BUCKET": BUCKET,
            "BACKUP_FOLDER": str(tmp_path / "backups"),
            "ENVIRONMENT_FOLDER": str(tmp_path / "none"),
            "AWS_MAX_ATTEMPTS": "1",
            "PYTHON": sys.executable,
        }
    )
    return BackupSetup(name, server, moto, environment, tmp_path)


NUMBERS = count(1)


def make_bucket(s3: Any, name: str, *, is_encrypted: bool = True) -> None:
    """Make a bucket as Terraform creates it."""
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    if is_encrypted:
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})


def url_of(server: PostgreSQL, database: str) -> str:
    return f"postgres://app:{PASSWORD}@{HOST}:{server.port}/{database}"


@pytest.fixture
def recorded(tmp_path: Path) -> Any:
    """Real programs behind scripts that record their arguments, and may damage their output."""

    def behind(program: str, *, then: str = "", instead: str = "") -> dict[str, str]:
        folder = tmp_path / "recorded"
        folder.mkdir(exist_ok=True)
        real = Path(os.fsdecode(subprocess.check_output(["bash", "-c", f"command -v {program}"]))).resolve()
        path = folder / program
        called = instead.replace("REAL", f'"{program_of(real, program)}"') or f'"{program_of(real, program)}" "$@"'
        call = f'printf "%s\\n" "$@" >>{folder}/arguments\n{called}'
        path.write_text(f"#!/usr/bin/env bash\n{call}\n{then}\n")
        path.chmod(0o755)
        return {"PATH": f"{folder}:{os.environ['PATH']}"}

    return behind


def program_of(real: Path, program: str) -> Path:
    """Debian's wrapper checks its own name."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: float(path.parts[-3]))
    return versions[-1] if versions else real
