from collections.abc import Callable

import pytest

from tests.support.rest import ApiClient, operator_client, superuser_client
from tms.accounts.models import User


@pytest.fixture
def caller_for(db: None) -> Callable[[User], ApiClient]:
    return ApiClient.of


@pytest.fixture
def watcher(db: None) -> ApiClient:
    """Has the permissions of an operator."""
    return operator_client()


@pytest.fixture
def editor(db: None) -> ApiClient:
    """Has all permissions."""
    return superuser_client()
