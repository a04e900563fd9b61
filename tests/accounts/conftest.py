import secrets

import pytest

from tms.accounts.sign_in import counters
from tms.accounts.sign_in.counters import LocalCounters


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """A slow hash protects passwords; there are none here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def fresh_throttle(settings, monkeypatch):
    """No test counts the wrong passwords of another."""
    prefix = secrets.token_hex(4)
    settings.CACHES = {name: cache | {"KEY_PREFIX": prefix} for name, cache in settings.CACHES.items()}
    monkeypatch.setattr(counters, "local", LocalCounters())
