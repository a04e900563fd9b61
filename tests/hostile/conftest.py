import logging
from collections.abc import Iterator

import pytest
from django.test import Client

from tests.support import people
from tests.support.addresses.fixture_fleet import create_rows
from tms.accounts.models import User


@pytest.fixture
def boss(fleet) -> User:
    """Has all permissions."""
    return User.objects.create_user("boss", is_staff=True, is_superuser=True)


@pytest.fixture
def client_of_boss(boss) -> Client:
    client = Client()
    people.sign_in_recently(client, boss)
    return client


@pytest.fixture
def everything(fleet, boss) -> dict[str, str]:
    """One of everything; the last value in a URL, by the path before it."""
    return create_rows(fleet, boss)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of refusals need no log."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)
