import logging
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from django.test import Client
from pytest_django import DjangoDbBlocker

from tests.support import people
from tests.support.addresses.fixture_fleet import create_rows
from tests.support.alerts.rule_cache import empty_rule_cache
from tests.support.builders import Fleet, now
from tests.support.database.shared_rows import shared_rows
from tms.accounts.models import User
from tms.accounts.scope import EVERYTHING
from tms.boards.pages import RenderContext
from tms.boards.pages.base import nav


class Made(NamedTuple):
    boss: User
    """Has all permissions."""
    names: dict[str, str]
    """One of everything; the last value in a URL, by the path before it."""


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Made]:
    empty_rule_cache()
    with shared_rows(django_db_blocker), pytest.MonkeyPatch.context() as patch:
        boss = User.objects.create_user("boss", is_superuser=True)
        names = create_rows(Fleet(), boss)
        # Nothing persists, so the numbers around all pages stay the same: their queries are a third of the work.
        frame = nav(RenderContext(now(), EVERYTHING))
        patch.setattr("tms.boards.context_processors.nav", lambda _: frame)
        yield Made(boss, names)


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
