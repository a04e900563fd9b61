import contextlib
import json
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.processes import Cluster
from tests.cluster.people import Person
from tests.cluster.settings import PASSWORD, TAKEOVERS, FixtureFleet
from tests.support.database import template_db
from tests.support.servers.tms import QUICK


class MigratedCluster(Cluster):
    """Uses existing tables; that it creates them is tested in test_command.py."""

    def start_stores(self) -> None:
        super().start_stores()
        template_db.restore(self.postgresql.url)


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    """Three nodes and two clocks, as in production, with short intervals."""
    settings = QUICK | {"TMS_TAKEOVERS_PER_MINUTE": str(TAKEOVERS), "TMS_LEASE_GRACE_S": "3"}
    with MigratedCluster(3, clocks=2, durable=False, settings=settings) as cluster:
        yield cluster


@pytest.fixture(scope="package")
def rows(cluster: Cluster) -> FixtureFleet:
    printed = cluster.manage("shell", "-c", "from tests.cluster import fixture_fleet; fixture_fleet.create_rows()")
    return FixtureFleet(**json.loads(printed.splitlines()[-1]))


@pytest.fixture
def credential(rows: FixtureFleet) -> str:
    """The credential of a new terminal for each test."""
    return rows.credentials.pop()


@pytest.fixture(scope="package")
def trust(cluster: Cluster) -> ssl.SSLContext:
    assert cluster.nginx.certificate is not None
    return ssl.create_default_context(cafile=str(cluster.nginx.certificate.chain))


@pytest.fixture
def person(cluster: Cluster, rows: FixtureFleet, trust: ssl.SSLContext) -> Person:
    """Signed in through nginx."""
    person = Person(trust)
    person.sign_in(cluster.url, "tanaka", PASSWORD)
    return person


@pytest.fixture
def query(cluster: Cluster) -> Any:
    """Rows of the cluster's database; `%s` marks a parameter."""

    def ask(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with contextlib.closing(cluster.postgresql.connect()) as connection:
            return connection.execute(sql, parameters).fetchall()  # type: ignore[arg-type]

    return ask
