import json
from collections.abc import Iterator

import pytest

from tests.machine.machine import Machine

TERMINALS = 40
ENROL = f"""
import json
from tms.fleet.credentials import services as credentials
from tms.fleet.models import Site, Terminal
site = Site.objects.create(code="SJK", name="Shinjuku South")
print(json.dumps([str(credentials.enrol(Terminal(uid=f"T-{{n}}", site=site))) for n in range({TERMINALS})]))
"""


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """One that booted with the release `first`; `second` lies beside it, and differs by name."""
    with Machine() as machine:
        machine.build("first")
        machine.boot("first")
        machine.copy_release("second")
        yield machine


@pytest.fixture(scope="session")
def credentials(machine: Machine) -> list[str]:
    """Of terminals that nobody uses yet; take one off."""
    return json.loads(machine.manage("shell", "-c", ENROL).splitlines()[-1])
