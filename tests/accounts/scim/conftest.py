import pytest

from tests.support.accounts.directory import Directory, service_account


@pytest.fixture
def directory(db) -> Directory:
    """The directory, with a service account that may grant everything."""
    return Directory(service_account())
