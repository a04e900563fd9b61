from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client

from tests.support.pages import HtmlPage
from tests.support.people import person
from tms.accounts.models import User
from tms.boards.replay.chosen import query_of
from tms.fleet.models import Terminal


@pytest.fixture
def tanaka(db: None) -> User:
    return person("tanaka", of="Operator", first_name="Mei", last_name="Tanaka")


@pytest.fixture
def browser(tanaka: User) -> Client:
    client = Client()
    client.force_login(tanaka)
    return client


@pytest.fixture
def replay(browser: Client) -> Callable[..., HtmlPage]:
    """Requests a page at an instant; the terminals have existed for a month by then."""

    def open_replay(address: str, at: datetime, *, status: int = 200, **headers: str) -> HtmlPage:
        Terminal.objects.update(created_at=at - timedelta(days=30))
        answer = browser.get(f"{address}{'&' if '?' in address else '?'}{query_of(at)}", headers=headers)
        assert answer.status_code == status, (address, answer.status_code, answer.content[:500])
        return HtmlPage(answer)

    return open_replay
