"""A person leaves the company: the directory disables the account, and nothing of it works any more."""

import pytest
from django.test import Client
from django.utils import timezone

from tests.support import people
from tests.support.accounts.directory import Directory, id_of, ok, service_account
from tests.support.threads import in_thread
from tms.accounts import api_tokens
from tms.accounts.models import User
from tms.boards.live import tasks

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("way", ["disabled", "deleted"])
async def test_a_leaver_loses_session_token_and_open_board_at_once(board, tanaka, sato, monkeypatch, way):
    """No periodic check runs: it is the change itself that closes the board."""
    monkeypatch.setattr(tasks, "SIGN_IN_CHECK_S", 3600)
    browser, secret, directory = await in_thread(prepared, tanaka)
    async with board("/") as opened, board("/", person=sato) as another:
        for each in (opened, another):
            await each.painted()

        await in_thread(leave, directory, tanaka, way)

        assert await opened.closed() == 4401
        await another.beat()
        assert not another.connection.closed.done()
    assert await in_thread(left_over, browser, secret) == (302, None)


def prepared(person: User) -> tuple[Client, str, Directory]:
    _, secret = api_tokens.issue(person, name="script", at=timezone.now())
    boss = people.person("boss", of=None)
    people.grant(boss, "Administrator")
    return people.signed_in(person), secret, Directory(service_account())


def leave(directory: Directory, person: User, way: str) -> None:
    if way == "disabled":
        ok(directory.patch(f"Users/{id_of(person)}", {"op": "Replace", "path": "active", "value": "False"}))
    else:
        assert directory.send("DELETE", f"Users/{id_of(person)}").status_code == 204


def left_over(browser: Client, secret: str) -> tuple[int, object]:
    return browser.get("/").status_code, api_tokens.find(secret, at=timezone.now())
