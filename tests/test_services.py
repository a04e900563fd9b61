"""The services that the tests use."""

import os
import socket
import subprocess
import sys

import psycopg
import pytest
import redis

from tests.support.services import HOST, PostgreSQL, Redis, free_port

SHOW_BOTH = "import os; print(os.environ['TMS_DATABASE_URL'], os.environ['TMS_REDIS_URL'])"


def test_a_killed_postgresql_restarts_with_all_committed_data():
    with PostgreSQL() as database:
        with psycopg.connect(database.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")

        database.kill()
        database.start()

        with psycopg.connect(database.url) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_a_killed_redis_restarts_at_the_same_address():
    with Redis() as broker:
        broker.kill()
        assert not broker.answers()

        broker.start()

        with redis.Redis.from_url(broker.url) as client:
            assert client.ping()


def test_a_free_port_is_reserved_for_a_server_that_names_it():
    port = free_port()

    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((HOST, port))
    with socket.create_server((HOST, port)) as server:
        assert server.getsockname() == (HOST, port)


def test_a_stopped_service_leaves_no_process_and_no_file():
    with Redis() as broker:
        process = broker.process

    assert process is not None
    assert process.returncode is not None
    assert not broker.folder.exists()


def test_a_command_runs_with_both_services_and_its_exit_code_is_returned():
    command = [sys.executable, "-c", f"{SHOW_BOTH}; raise SystemExit(3)"]

    done = subprocess.run(
        [sys.executable, "-m", "tests.support.services", *command],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )

    assert done.returncode == 3
    assert "postgres://tms@127.0.0.1:" in done.stdout
    assert "redis://127.0.0.1:" in done.stdout
