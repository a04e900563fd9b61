"""A password that is rotated while connections are opened."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool, PoolTimeout

from deploy.processes import HOST, PostgreSQL
from tests.ops.production import manage
from tests.support.database import template_db
from tests.support.servers.aws import Moto
from tms.config import database_secret
from tms.config.database import database_settings
from tms.config.database_secret import DatabaseSecret, SecretUnreadable

NAME = "rds!db-tms"
TO_PASSWORDS = "host all app 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"


class Manager:
    """Secrets Manager, with one secret."""

    def __init__(self) -> None:
        self.message: Any = {"username": "app", "password": "it's 1 @ secret"}
        self.asked = 0
        self.is_away = False
        self.now = 0.0

    def __call__(self, name: str) -> str:
        self.asked += 1
        if self.is_away:
            raise SecretUnreadable("no way out")
        return self.message if isinstance(self.message, str) else json.dumps(self.message)


@pytest.fixture
def manager() -> Manager:
    return Manager()


@pytest.fixture
def secret(manager: Manager) -> DatabaseSecret:
    return DatabaseSecret(NAME, manager, lambda: manager.now)


def test_each_connection_reads_the_secret_but_not_in_a_storm(secret, manager):
    message = {secret() for _ in range(100)}
    manager.now += 5
    secret()

    assert message == {r"user=app password='it\'s 1 @ secret'"}
    assert manager.asked == 2


def test_an_unavailable_manager_leaves_the_last_secret_in_use(secret, manager):
    before = secret()
    manager.is_away = True
    manager.now += 60

    assert secret() == before


def test_an_unreachable_manager_is_reported_with_the_name_of_the_setting(secret, manager):
    manager.is_away = True

    with pytest.raises(SecretUnreadable, match=f"TMS_DATABASE_SECRET={NAME}: no way out"):
        secret()


@pytest.mark.parametrize("message", ["hush", '"hush"', '{"user": "app"}', '["hush"]', "{}"])
def test_an_invalid_secret_is_refused_and_not_shown(secret, manager, message):
    manager.message = message

    with pytest.raises(SecretUnreadable, match=r"expected .*username.*password") as refusal:
        secret()

    assert "hush" not in str(refusal.value)


def test_the_url_needs_no_user_and_its_own_is_ignored():
    database = database_settings("postgres://tms:old@db:5432/tms", pool=4, secret=NAME)

    assert (database["USER"], database["PASSWORD"], database["HOST"]) == ("", "", "db")
    assert database["OPTIONS"]["pool"]["conninfo"].name == NAME


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    """One that requires a password from `app`, who owns its database."""
    with PostgreSQL() as server:
        (server.data / "pg_hba.conf").write_text(TO_PASSWORDS)
        with server.connect() as connection:
            connection.execute("CREATE ROLE app LOGIN")
            connection.execute("ALTER DATABASE tms OWNER TO app")
            connection.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture
def server(postgresql: PostgreSQL, aws: Moto) -> PostgreSQL:
    """Secrets Manager has the password."""
    change_password(postgresql, "first")
    first = json.dumps({"username": "app", "password": "first"})
    aws.client("secretsmanager").create_secret(Name=NAME, SecretString=first)
    return postgresql


def change_password(server: PostgreSQL, password: str) -> None:
    with server.connect() as connection:
        connection.execute(f"ALTER ROLE app PASSWORD '{password}'")  # type: ignore[arg-type]


@pytest.mark.services
def test_open_connections_continue_and_new_ones_use_the_rotated_password(server, aws, monkeypatch):
    monkeypatch.setattr(database_secret, "QUERY_EVERY_S", 0.1)
    options = database_settings(server.url, pool=2, secret=NAME)["OPTIONS"]["pool"] | {"max_size": 2}
    address = {"host": HOST, "port": server.port, "dbname": "tms"}

    with ConnectionPool(kwargs=address, **options, open=True) as pool, pool.connection() as old:
        change_password(server, "second")
        second = json.dumps({"username": "app", "password": "second"})
        aws.client("secretsmanager").put_secret_value(SecretId=NAME, SecretString=second)
        with pool.connection() as new:
            assert new.execute("SELECT current_user").fetchone() == ("app",)
            assert new is not old
        assert old.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(user="app", password="first", **address)


@pytest.mark.services
def test_without_the_right_password_no_connection_is_possible(server, aws):
    wrong = json.dumps({"username": "app", "password": "wrong"})
    aws.client("secretsmanager").put_secret_value(SecretId=NAME, SecretString=wrong)
    options = database_settings(server.url, pool=2, secret=NAME)["OPTIONS"]["pool"] | {"timeout": 1}

    with (
        ConnectionPool(kwargs={"host": HOST, "port": server.port, "dbname": "tms"}, **options, open=True) as pool,
        pytest.raises(PoolTimeout),
        pool.connection(),
    ):
        pass


@pytest.mark.services
def test_django_uses_it_too(server, aws, tmp_path):
    template_db.restore(f"postgres://app:first@{HOST}:{server.port}/tms")
    where = {"TMS_DATABASE_URL": f"postgres://{HOST}:{server.port}/tms", "TMS_DATABASE_SECRET": NAME}

    done = manage(tmp_path, "migrate_once", "--verbosity", "0", **where, **aws.env)

    assert (done.stdout, done.stderr) == ("Nothing to migrate.\n", "")
