"""The database of a backup, and how to connect to it."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Self

import psycopg
from psycopg.pq import Conninfo
from psycopg.rows import TupleRow

from deploy.aws import client
from deploy.backup.failure import BackupFailed
from deploy.backup.postgresql.programs import Program, find, running
from tms.config import environment as env

WITHOUT_LIMITS = "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
"""A backup may take long, and its snapshot must stay open."""


@dataclass(frozen=True, slots=True)
class Database:
    """Where a database is, and how to sign in. `options` are those of libpq; none of them appears on a command line."""

    options: Mapping[str, str]

    @classmethod
    def configured(cls, *, as_master: bool = False) -> Self:
        """The database of TMS, as its own role or as the master user of the server. Raises BackupFailed."""
        url = env.text("TMS_DATABASE_URL")
        if not url.startswith(("postgres://", "postgresql://")):
            raise BackupFailed(
                "TMS_DATABASE_URL names no PostgreSQL; expected: postgres://USER:PASSWORD@HOST:5432/NAME"
            )
        try:
            given = {one.keyword.decode(): one.val.decode() for one in Conninfo.parse(url.encode()) if one.val}
        except psycopg.OperationalError:  # its text may show the password
            raise BackupFailed(
                "TMS_DATABASE_URL cannot be read; expected: postgres://USER:PASSWORD@HOST:5432/NAME"
            ) from None
        return cls(given | _login(as_master=as_master))

    @property
    def name(self) -> str:
        return self.options["dbname"]

    def named(self, name: str) -> "Database":
        """Another database of the same server."""
        return Database({**self.options, "dbname": name})

    def connect(self) -> psycopg.Connection:
        given = {"connect_timeout": "10", "options": WITHOUT_LIMITS, "application_name": "tms backup"}
        return psycopg.connect(**given | dict(self.options), autocommit=True)  # type: ignore[arg-type]

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs and return its output. Raises CalledProcessError or BackupFailed."""
        done = subprocess.run(
            [find(program), *arguments],
            env=os.environ | self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def started(self, program: str, *arguments: str, feeds: bool = False) -> AbstractContextManager[Program]:
        """One of PostgreSQL's programs, to write to (`feeds`) or to read from. Raises BackupFailed."""
        return running([find(program), *arguments], os.environ | self.environment, feeds=feeds)

    @property
    def environment(self) -> dict[str, str]:
        """Variables of libpq for a child process, so that `ps` does not show the password."""
        names = {one.keyword.decode(): one.envvar.decode() for one in Conninfo.get_defaults() if one.envvar}
        given = {"options": WITHOUT_LIMITS} | dict(self.options)
        return {names[option]: value for option, value in given.items() if option in names}


def _login(*, as_master: bool) -> dict[str, str]:
    """User and password from Secrets Manager, if they are there."""
    secret = (env.text("TMS_DATABASE_MASTER_SECRET") if as_master else "") or env.text("TMS_DATABASE_SECRET")
    if not secret:
        return {}
    secret_value = json.loads(client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
    return {"user": secret_value["username"], "password": secret_value["password"]}


def rows(connection: psycopg.Connection, query: str, parameters: Sequence[object] = ()) -> list[TupleRow]:
    return connection.execute(query, parameters).fetchall()
