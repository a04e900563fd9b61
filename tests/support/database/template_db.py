"""A database as `migrate` creates it: created once, and copied for each TMS under test.

The workers of one run share it: the first one creates it, the others wait.
"""

import atexit
import fcntl
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from deploy.processes import load_sql
from deploy.processes.programs import find_postgresql

ROOT = Path(__file__).resolve().parents[3]
SQLITE = "tms.sqlite3"
SHARED = "BLANK_DATABASES"
"""The folder of a run."""
MANAGE = "import gc, manage; gc.disable(); manage.main()"
"""`manage.py` without the garbage collector, which takes a third of the time that migrations take."""


def copy_file(folder: Path) -> None:
    """Copy one into the data directory of a TMS on SQLite."""
    shutil.copyfile(file(), folder / SQLITE)


def copy_database(url: str) -> str:
    """The URL of a new one on the PostgreSQL of `url`."""
    return new_database(url, template=name_of(database(url)))


def restore(url: str) -> None:
    """Fill the empty database of `url`, on a separate PostgreSQL, ten times as fast as `migrate`."""
    load_sql(url, dump())


def name_of(url: str) -> str:
    return urlsplit(url).path[1:]


def new_database(url: str, *, template: str = "template1") -> str:
    """The URL of a database that is empty, or a copy of `template`."""
    name = f"tms_{secrets.token_hex(4)}"
    parts = urlsplit(url)
    with psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")  # type: ignore[arg-type]
    return parts._replace(path=f"/{name}").geturl()


def share() -> None:
    """Share the template with this process and all its children from now on."""
    if SHARED not in os.environ:
        os.environ[SHARED] = tempfile.mkdtemp(prefix="tms-blank-")
        atexit.register(shutil.rmtree, os.environ[SHARED], ignore_errors=True)


def is_shared() -> bool:
    return SHARED in os.environ


@cache
def file() -> Path:
    return Path(_once("file", _make_file))


@cache
def database(url: str) -> str:
    """The URL of the one on the PostgreSQL of `url`; it must not have connections."""
    return _once(f"on-{urlsplit(url).port}", lambda: _make_database(url))


@cache
def dump() -> Path:
    """One as SQL, created on the PostgreSQL of this pass."""
    return Path(_once("dump", _make_dump))


def _once(name: str, make: Callable[[], str]) -> str:
    """The result of `make` in the first process."""
    share()
    made = Path(os.environ[SHARED]) / name
    with made.open("a+") as note:
        fcntl.flock(note, fcntl.LOCK_EX)
        note.seek(0)
        where = note.read()
        if not where:
            where = make()
            note.write(where)
    return where


def _make_file() -> str:
    folder = os.environ[SHARED]
    _migrate({"TMS_DATA_DIR": folder})
    return str(Path(folder) / SQLITE)


def _make_database(url: str) -> str:
    made = new_database(url)
    _migrate({"TMS_DATABASE_URL": made})
    return made


def _make_dump() -> str:
    made = Path(os.environ[SHARED]) / "dump.sql"
    copy = copy_database(os.environ["TMS_DATABASE_URL"])  # a template must not have connections
    without_owner = ("--no-owner", "--no-privileges", "--no-comments")
    subprocess.run([find_postgresql("pg_dump"), *without_owner, f"--file={made}", copy], check=True)
    return str(made)


def _migrate(settings: Mapping[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-c", MANAGE, "migrate", "--skip-checks", "--verbosity", "0"],
        cwd=ROOT,
        env=os.environ | settings,
        check=True,
    )
