import logging
from collections.abc import Iterator

import pytest
from django.test import Client

from tests.support.addresses.fixture_fleet import furnish
from tms.accounts.models import User


@pytest.fixture
def boss(fleet) -> User:
    """May do everything."""
    return User.objects.create_user("boss", is_staff=True, is_superuser=True)


@pytest.fixture
def client_of_boss(boss) -> Client:
    client = Client()
    client.force_login(boss)
    return client


@pytest.fixture
def everything(fleet, boss) -> dict[str, str]:
    """One of everything; what stands for the last name in an address, by the path before it."""
    return furnish(fleet, boss)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of refusals are no news."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)
