import pytest


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """A slow hash protects passwords; there are none here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
