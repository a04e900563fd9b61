"""The settings of one database URL."""

import threading
from typing import Any, Self

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from psycopg_pool import ConnectionPool

from tests.support.polling import DEADLINE_S
from tms.config.database import database_settings


def connection_of(url: str) -> tuple[str, ...]:
    database = database_settings(url, pool=4)
    return tuple(database[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME"))


def test_a_url_names_one_host():
    assert connection_of("postgres://tms:s%40cret@db.internal:6432/fleet") == (
        "tms",
        "s@cret",
        "db.internal",
        "6432",
        "fleet",
    )


def test_a_url_may_name_several_hosts_of_which_the_writable_one_is_used():
    url = "postgresql://tms@db-1:5432,db-2:5433/tms?target_session_attrs=read-write"

    assert connection_of(url) == ("tms", "", "db-1,db-2", "5432,5433", "tms")
    assert database_settings(url, pool=4)["OPTIONS"]["target_session_attrs"] == "read-write"


def test_options_in_the_url_take_precedence():
    url = "postgres://tms@db/tms?sslmode=verify-full&connect_timeout=3&options=-c%20search_path%3Dfleet"

    options = database_settings(url, pool=4)["OPTIONS"]

    assert (options["sslmode"], options["connect_timeout"]) == ("verify-full", "3")
    assert options["options"] == "-c search_path=fleet"
    assert options["tcp_user_timeout"] == 10_000
    assert options["pool"]["max_size"] == 4


@pytest.mark.parametrize(
    "url",
    [
        "postgres://tms:hush@db:port/tms?nonsense=1",
        "postgres://tms:hush@db",
        "postgres://tms:hush%ZZ@db/tms",
        "nonsense://hush",
        "hush",
    ],
)
def test_an_invalid_url_is_refused_without_showing_the_password(url):
    with pytest.raises(ImproperlyConfigured, match="expected postgres://USER") as refusal:
        database_settings(url, pool=4)

    assert "hush" not in str(refusal.value)


class CountedConnection(psycopg.Connection[Any]):
    attempts = threading.Semaphore(0)

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Self:
        cls.attempts.release()
        return super().connect(*args, **kwargs)


def test_the_pool_retries_while_the_server_is_unavailable():
    """psycopg's own pauses double: six attempts would take half a minute, and the seventh as long again."""
    options = database_settings("postgres://tms@127.0.0.1:1/tms", pool=4)["OPTIONS"]["pool"]

    with ConnectionPool("host=127.0.0.1 port=1", open=False, **options | {"connection_class": CountedConnection}):
        assert all(CountedConnection.attempts.acquire(timeout=DEADLINE_S) for _ in range(7))


@pytest.mark.services
@pytest.mark.django_db
def test_the_server_detects_dead_clients():
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name LIKE 'tcp_%%'")
        result = dict(cursor.fetchall())

    assert result == {
        "tcp_keepalives_idle": "5",
        "tcp_keepalives_interval": "2",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "10000",
    }


@pytest.mark.services
def test_of_several_hosts_an_unreachable_one_is_skipped():
    database = settings.DATABASES["default"]
    url = f"postgres://{database['USER']}@127.0.0.1:1,{database['HOST']}:{database['PORT']}/{database['NAME']}"
    options = database_settings(f"{url}?target_session_attrs=read-write", pool=4)

    with psycopg.connect(
        host=options["HOST"],
        port=options["PORT"],
        user=options["USER"],
        dbname="postgres",
        target_session_attrs=options["OPTIONS"]["target_session_attrs"],
    ) as link:
        assert link.info.port == int(database["PORT"])
