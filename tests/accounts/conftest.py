import secrets

import pytest
import time_machine

from tests.support.accounts.steps import AT
from tms.accounts.sign_in import counters
from tms.accounts.sign_in.counters import LocalCounters


@pytest.fixture(autouse=True)
def fresh_throttle(settings, monkeypatch):
    """Reset the counters of wrong passwords between tests."""
    prefix = secrets.token_hex(4)
    settings.CACHES = {name: cache | {"KEY_PREFIX": prefix} for name, cache in settings.CACHES.items()}
    monkeypatch.setattr(counters, "local", LocalCounters())


@pytest.fixture
def clock():
    with time_machine.travel(AT, tick=False) as clock:
        yield clock
