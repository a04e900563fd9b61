"""A database as `migrate` leaves it: made once in a process, and copied for each TMS under test."""

import atexit
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent
SQLITE = "tms.sqlite3"


def copy_file(folder: Path) -> None:
    """Put one into the data directory of a TMS on SQLite."""
    shutil.copyfile(_file(), folder / SQLITE)


def copy_database(url: str) -> str:
    """The address of a new one on the PostgreSQL of `url`."""
    return new_database(url, template=urlsplit(_database(url)).path[1:])


def new_database(url: str, *, template: str = "template1") -> str:
    """The address of a database that is empty, or holds what `template` does."""
    name = f"tms_{secrets.token_hex(4)}"
    parts = urlsplit(url)
    with psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")  # type: ignore[arg-type]
    return parts._replace(path=f"/{name}").geturl()


@cache
def _file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tms-blank-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrate({"TMS_DATA_DIR": str(folder)})
    return folder / SQLITE


@cache
def _database(url: str) -> str:
    made = new_database(url)
    _migrate({"TMS_DATABASE_URL": made})
    return made


def _migrate(settings: Mapping[str, str]) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=os.environ | settings, check=True
    )
