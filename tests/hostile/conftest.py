import logging
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from django.test import Client
from pytest_django import DjangoDbBlocker

from tests.support import people
from tests.support.addresses.fixture_fleet import create_rows
from tests.support.alerts.rule_cache import empty_rule_cache
from tests.support.builders import Fleet
from tests.support.database.shared_rows import shared_rows
from tms.accounts.models import User


class Made(NamedTuple):
    boss: User
    """Has all permissions."""
    names: dict[str, str]
    """One of everything; the last value in a URL, by the path before it."""


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Made]:
    empty_rule_cache()
    with shared_rows(django_db_blocker):
        boss = User.objects.create_user("boss", is_staff=True, is_superuser=True)
        yield Made(boss, create_rows(Fleet(), boss))


@pytest.fixture
def boss(made: Made, db: None, no_rules_cached: None) -> User:
    return made.boss


@pytest.fixture
def everything(made: Made, db: None, no_rules_cached: None) -> dict[str, str]:
    return made.names


@pytest.fixture
def client_of_boss(boss: User) -> Client:
    client = Client()
    people.sign_in_recently(client, boss)
    return client


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of refusals need no log."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)
