"""A password that somebody else changes, while connections come and go."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool, PoolTimeout

from deploy.processes import HOST, PostgreSQL
from tests.ops.production import manage
from tests.support.servers.aws import Moto
from tms.config import database_secret
from tms.config.database import configured
from tms.config.database_secret import DatabaseSecret, SecretUnreadable

NAME = "rds!db-tms"
TO_PASSWORDS = "host all app 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"


class Manager:
    """Secrets Manager, as far as one secret goes."""

    def __init__(self) -> None:
        self.said: Any = {"username": "app", "password": "it's 1 @ secret"}
        self.asked = 0
        self.is_away = False
        self.now = 0.0

    def __call__(self, name: str) -> str:
        self.asked += 1
        if self.is_away:
            raise SecretUnreadable("no way out")
        return self.said if isinstance(self.said, str) else json.dumps(self.said)


@pytest.fixture
def manager() -> Manager:
    return Manager()


@pytest.fixture
def secret(manager: Manager) -> DatabaseSecret:
    return DatabaseSecret(NAME, manager, lambda: manager.now)


def test_each_connection_asks_but_not_in_a_storm(secret, manager):
    said = {secret() for _ in range(100)}
    manager.now += 5
    secret()

    assert said == {r"user=app password='it\'s 1 @ secret'"}
    assert manager.asked == 2


def test_a_manager_that_is_away_leaves_what_it_said_last(secret, manager):
    before = secret()
    manager.is_away = True
    manager.now += 60

    assert secret() == before


def test_a_manager_that_was_never_reached_is_told_of_by_the_name_of_the_setting(secret, manager):
    manager.is_away = True

    with pytest.raises(SecretUnreadable, match=f"TMS_DATABASE_SECRET={NAME}: no way out"):
        secret()


@pytest.mark.parametrize("said", ["hush", '"hush"', '{"user": "app"}', '["hush"]', "{}"])
def test_what_is_no_login_is_refused_and_not_shown(secret, manager, said):
    manager.said = said

    with pytest.raises(SecretUnreadable, match=r"expected .*username.*password") as refusal:
        secret()

    assert "hush" not in str(refusal.value)


def test_the_url_needs_no_user_and_what_it_has_does_not_count():
    database = configured("postgres://tms:old@db:5432/tms", pool=4, secret=NAME)

    assert (database["USER"], database["PASSWORD"], database["HOST"]) == ("", "", "db")
    assert database["OPTIONS"]["pool"]["conninfo"].name == NAME


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    """One that asks `app`, who owns its database, for a password."""
    with PostgreSQL() as server:
        (server.data / "pg_hba.conf").write_text(TO_PASSWORDS)
        with server.connect() as connection:
            connection.execute("CREATE ROLE app LOGIN")
            connection.execute("ALTER DATABASE tms OWNER TO app")
            connection.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture
def server(postgresql: PostgreSQL, aws: Moto) -> PostgreSQL:
    """Secrets Manager knows the password."""
    change_password(postgresql, "first")
    first = json.dumps({"username": "app", "password": "first"})
    aws.client("secretsmanager").create_secret(Name=NAME, SecretString=first)
    return postgresql


def change_password(server: PostgreSQL, password: str) -> None:
    with server.connect() as connection:
        connection.execute(f"ALTER ROLE app PASSWORD '{password}'")  # type: ignore[arg-type]


@pytest.mark.services
def test_open_connections_go_on_and_new_ones_come_after_a_rotation(server, aws, monkeypatch):
    monkeypatch.setattr(database_secret, "ASK_EVERY_S", 0.1)
    options = configured(server.url, pool=2, secret=NAME)["OPTIONS"]["pool"] | {"max_size": 2}
    place = {"host": HOST, "port": server.port, "dbname": "tms"}

    with ConnectionPool(kwargs=place, **options, open=True) as pool, pool.connection() as old:
        change_password(server, "second")
        second = json.dumps({"username": "app", "password": "second"})
        aws.client("secretsmanager").put_secret_value(SecretId=NAME, SecretString=second)
        with pool.connection() as new:
            assert new.execute("SELECT current_user").fetchone() == ("app",)
            assert new is not old
        assert old.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(user="app", password="first", **place)


@pytest.mark.services
def test_without_the_right_password_nobody_gets_in(server, aws):
    wrong = json.dumps({"username": "app", "password": "wrong"})
    aws.client("secretsmanager").put_secret_value(SecretId=NAME, SecretString=wrong)
    options = configured(server.url, pool=2, secret=NAME)["OPTIONS"]["pool"] | {"timeout": 1}

    with (
        ConnectionPool(kwargs={"host": HOST, "port": server.port, "dbname": "tms"}, **options, open=True) as pool,
        pytest.raises(PoolTimeout),
        pool.connection(),
    ):
        pass


@pytest.mark.services
def test_django_takes_it_from_there_too(server, aws, tmp_path):
    where = {"TMS_DATABASE_URL": f"postgres://{HOST}:{server.port}/tms", "TMS_DATABASE_SECRET": NAME}

    done = manage(tmp_path, "migrate_once", "--verbosity", "0", **where, **aws.env)

    assert (done.stdout, done.stderr) == ("Migrated.\n", "")
    with server.connect() as connection:
        owner = connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'fleet_terminal'").fetchone()
    assert owner == ("app",)
