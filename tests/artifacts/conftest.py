"""Fixtures of the tests of artifacts."""

import pytest

from tests.support.artifacts import KEY_NAME, PRIVATE_KEY
from tms.artifacts.manifest import PublicKeys


@pytest.fixture
def public_keys() -> PublicKeys:
    return {KEY_NAME: PRIVATE_KEY.public_key().public_bytes_raw()}


@pytest.fixture(autouse=True)
def _stored_in(tmp_path, settings) -> None:
    """Artifacts are on a disk of the test."""
    options = {"location": tmp_path / "artifacts"}
    one = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"artifacts": one}
