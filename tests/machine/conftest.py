import json
from collections.abc import Iterator

import pytest

from tests.faults.scenario.agents import AgentTerminal
from tests.machine.machine import Machine
from tests.support.database import template_db
from tms.protocol import credential

TERMINALS = 40
ENROL = f"""
import json
from tms.fleet.credentials import services as credentials
from tms.fleet.models import Site, Terminal
site = Site.objects.create(code="SJK", name="Shinjuku South")
print(json.dumps([str(credentials.enrol(Terminal(uid=f"T-{{n}}", site=site))) for n in range({TERMINALS})]))
"""


@pytest.fixture(scope="package")
def machine() -> Iterator[Machine]:
    """A machine that booted with the release `first` after `earlier` had been marked good.

    It finds tables, as every machine but the first does; tests/ops/test_migrate_once.py begins without.
    """
    with Machine() as machine:
        template_db.restore(machine.postgresql.url)
        machine.build("first")
        machine.publish_again("earlier")
        (machine.aws / "parameters/tms/releases/good").write_text('["earlier"]')
        machine.boot("first")
        yield machine


@pytest.fixture(scope="package")
def credentials(machine: Machine) -> list[str]:
    """Unused terminals; take one off."""
    return json.loads(machine.manage("shell", "-c", ENROL).splitlines()[-1])


@pytest.fixture
def terminals(machine: Machine, credentials: list[str]) -> list[AgentTerminal]:
    """Real agents that no other test uses."""
    keys = [key for text in take(credentials, 10) if (key := credential.parse(text))]
    return [AgentTerminal(machine.link, key) for key in keys]


def take(credentials: list[str], number: int) -> list[str]:
    return [credentials.pop() for _ in range(number)]
