import json
from collections.abc import Iterator

import pytest

from tests.machine.machine import Machine
from tests.support.database import template_db

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
    """A machine that booted with the release `first`; `second` is also available, under another name.

    It finds tables, as every machine but the first does; tests/ops/test_migrate_once.py begins without.
    """
    with Machine() as machine:
        template_db.restore(machine.postgresql.url)
        machine.build("first")
        machine.boot("first")
        machine.copy_release("second")
        yield machine


@pytest.fixture(scope="package")
def credentials(machine: Machine) -> list[str]:
    """Unused terminals; take one off."""
    return json.loads(machine.manage("shell", "-c", ENROL).splitlines()[-1])
