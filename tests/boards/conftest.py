from collections.abc import Callable

import pytest
from django.test import Client

from tests.support.pages import HtmlPage
from tests.support.people import person
from tms.accounts.models import User


@pytest.fixture
def tanaka(db: None) -> User:
    return person("tanaka", of="Operator", first_name="Mei", last_name="Tanaka")


@pytest.fixture
def sato(db: None) -> User:
    return person("sato", of="Operator", first_name="健", last_name="佐藤")


@pytest.fixture
def browser(tanaka: User) -> Client:
    """Tanaka's, signed in, without JavaScript."""
    client = Client()
    client.force_login(tanaka)
    return client


@pytest.fixture
def page(browser: Client) -> Callable[..., "HtmlPage"]:
    """Requests a URL in Tanaka's browser."""

    def open_page(address: str, **headers: str) -> HtmlPage:
        answer = browser.get(address, headers=headers)
        assert answer.status_code == 200, (address, answer.status_code)
        return HtmlPage(answer)

    return open_page
