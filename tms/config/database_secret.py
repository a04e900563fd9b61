"""The user and password of the database as Secrets Manager has them, so that RDS may change them when it likes."""

import json
import threading
import time
from collections.abc import Callable

from psycopg.conninfo import make_conninfo

from tms.config import aws

ASK_EVERY_S = 5.0
"""A pool that reconnects again and again asks no oftener. So late can a changed password be noticed."""


class SecretUnreadable(Exception):
    """The secret cannot be read, or has an unexpected form; the message says which, without the secret."""


class DatabaseSecret:
    """Called for each new connection; gives libpq's words for user and password. From any thread.

    While Secrets Manager is unavailable, the last value is used: it is mostly still valid.
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
        self._asked_at = -ASK_EVERY_S

    def __call__(self) -> str:
        with self._lock:
            if self._monotonic() - self._asked_at >= ASK_EVERY_S or not self._known:
                self._ask()
            return self._known

    def _ask(self) -> None:
        try:
            self._known = login(self._read(self.name))
        except SecretUnreadable as error:
            if not self._known:
                raise SecretUnreadable(f"TMS_DATABASE_SECRET={self.name}: {error}") from None
        self._asked_at = self._monotonic()


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
