from collections.abc import Callable

import pytest
from django.test import Client

from tests.support.people import person
from tests.support.shift import open_boards
from tms.accounts.models import User
from tms.boards.overview import on_shift


@pytest.fixture
def tanaka(db: None) -> User:
    """Asks."""
    return person("tanaka", of="Operator", first_name="Mei", last_name="Tanaka")


@pytest.fixture
def yamada(db: None, empty_shift: None) -> User:
    """A person on shift, with the same permissions."""
    made = person("yamada", of="Operator", first_name="Hiro", last_name="Yamada")
    open_boards(made)
    return made


@pytest.fixture
def browser_of() -> Callable[[User], Client]:
    def browser(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return browser


@pytest.fixture(autouse=True)
def empty_shift() -> None:
    """Earlier tests left people of the same numbers in the cache, which other workers share."""
    on_shift.report({}, range(1, 1_000))


@pytest.fixture(autouse=True)
def low_thresholds(settings) -> None:
    settings.APPROVAL_ALERTS = settings.APPROVAL_TERMINALS = 2
