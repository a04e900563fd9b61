import pytest

from tests.support.rest import ApiClient, operator_client, superuser_client


@pytest.fixture
def watcher(db: None) -> ApiClient:
    """May do what an operator may."""
    return operator_client()


@pytest.fixture
def editor(db: None) -> ApiClient:
    """May do everything."""
    return superuser_client()
