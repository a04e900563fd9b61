"""The database connection of a process, from one URL."""

from typing import Any, Protocol

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from tms.config.database_deadline import ImpatientConnection
from tms.config.database_secret import DatabaseSecret

POSTGRESQL = ("postgres://", "postgresql://")
EXPECTED = (
    "expected postgres://USER:PASSWORD@HOST:5432/NAME, with a comma between hosts when there are several; marks such as"
    " @ : / in a password are written as %40 %3A %2F"
)
CONNECT_S = 3
"""The kernel repeats the first packet after 1, 3 and 7 s: a longer timeout notices a restored network late."""
RECONNECT_S = 1.0
"""The pool doubles its pause with each attempt: after an outage of 16 s the next attempt is 16 s away. It restarts
instead.
"""

CLIENT_KEEPALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
SERVER_KEEPALIVE = {"tcp_keepalives_idle": 5, "tcp_keepalives_interval": 2, "tcp_keepalives_count": 3}
"""Both ends notice within about 10 s that the other host is gone, and the server releases the locks it held."""
SERVER_USER_TIMEOUT_MS = 10_000


def database_settings(url: str, *, pool: int, secret: str = "") -> dict[str, Any]:
    """Django's settings for `url`, with at most `pool` connections to PostgreSQL.

    A URL of PostgreSQL may have several hosts and every option of libpq (`?target_session_attrs=read-write`,
    `?sslmode=verify-full`), which override the defaults here. A `secret` of Secrets Manager overrides the URL's user
    and password, and is read for each new connection. Raises ImproperlyConfigured.
    """
    if not url.startswith(POSTGRESQL):
        return _sqlite(url)
    named = _parse(url)
    where = {setting: named.pop(option, "") for setting, option in OPTIONS.items()}
    if secret:
        where |= {"USER": "", "PASSWORD": ""}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **where,
        # Django refuses to combine its pool with connections that persist.
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": CONNECT_S,
            **CLIENT_KEEPALIVE,
            "options": _server_options(),
            **named,
            "pool": {
                "connection_class": ImpatientConnection,
                "min_size": 1,
                "max_size": pool,
                "timeout": 10,
                "reconnect_timeout": RECONNECT_S,
                "reconnect_failed": try_again,
                **({"conninfo": DatabaseSecret(secret)} if secret else {}),
            },
        },
    }


OPTIONS = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}


def _parse(url: str) -> dict[str, Any]:
    try:
        named = conninfo_to_dict(url)
    except ProgrammingError:  # its text may contain the password
        raise ImproperlyConfigured(f"TMS_DATABASE_URL is not valid: {EXPECTED}") from None
    if not named.get("dbname"):
        raise ImproperlyConfigured(f"TMS_DATABASE_URL has no database name: {EXPECTED}")
    return dict(named)


class Pool(Protocol):
    """The part of psycopg's pool that refills it when it has fewer connections than it should."""

    def check(self) -> None: ...


def try_again(pool: Pool) -> None:
    """Called by a pool that gave up: restart it, or callers would wait for connections in vain."""
    pool.check()


def _server_options() -> str:
    settings = SERVER_KEEPALIVE | {"tcp_user_timeout": SERVER_USER_TIMEOUT_MS}
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


def _sqlite(url: str) -> dict[str, Any]:
    try:
        database = dict(dj_database_url.parse(url))
    except ValueError:
        raise ImproperlyConfigured(f"TMS_DATABASE_URL is not valid: {EXPECTED}") from None
    return database | {
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=134217728;",
        },
    }
