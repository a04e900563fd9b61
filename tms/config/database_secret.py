"""User and password of the database from Secrets Manager, where RDS may change them at any time."""

import json
import threading
import time
from collections.abc import Callable

from psycopg.conninfo import make_conninfo

from tms.config import aws

QUERY_EVERY_S = 5.0
"""Limits requests of a pool that reconnects repeatedly. A changed password may be noticed this late."""


class SecretUnreadable(Exception):
    """The secret cannot be read, or has an unexpected form; the message says which, without the secret."""


class DatabaseSecret:
    """Called for each new connection, from any thread; returns libpq's options for user and password.

    While Secrets Manager is unavailable, the last value is used, which is usually still valid.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[str], str] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._read = read or read_secret
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known = ""
        self._queried_at = -QUERY_EVERY_S

    def __call__(self) -> str:
        with self._lock:
            if self._monotonic() - self._queried_at >= QUERY_EVERY_S or not self._known:
                self._query()
            return self._known

    def _query(self) -> None:
        try:
            self._known = login(self._read(self.name))
        except SecretUnreadable as error:
            if not self._known:
                raise SecretUnreadable(f"TMS_DATABASE_SECRET={self.name}: {error}") from None
        self._queried_at = self._monotonic()


def read_secret(name: str) -> str:
    """Raises SecretUnreadable."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return str(aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
    except (BotoCoreError, ClientError) as error:
        raise SecretUnreadable(str(error)) from error


def login(secret: str) -> str:
    """Raises SecretUnreadable."""
    try:
        secret_value = json.loads(secret)
        return make_conninfo(user=secret_value["username"], password=secret_value["password"])
    except (ValueError, KeyError, TypeError):
        raise SecretUnreadable('expected {"username": …, "password": …}, as RDS keeps it') from None
