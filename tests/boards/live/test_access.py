"""Which boards may be opened, and when they are closed."""

from contextlib import AsyncExitStack

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.test import Client

from tests.boards.live.board import Board
from tests.support.threads import in_thread
from tms.accounts.models import User
from tms.accounts.sessions import browsers
from tms.accounts.sessions.store import stored_key
from tms.boards.live import tasks

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("page", ["/nowhere/", "/terminals/none/", "/alerts/0/", "/help/", "", "//evil/"])
async def test_an_unknown_page_gets_no_board(board, room, page):
    async with board(page) as refused:
        pass

    assert refused.answers == [{"type": "websocket.close"}]
    assert room.live_pages == {}


async def test_an_anonymous_visitor_gets_no_board(room):
    async with Board("/", person=AnonymousUser(), session="") as refused:
        pass

    assert refused.answers == [{"type": "websocket.close"}]


async def test_a_disabled_person_gets_no_board(board, tanaka):
    tanaka.is_active = False

    async with board("/") as refused:
        pass

    assert refused.answers == [{"type": "websocket.close"}]


def disable(person):
    User.objects.filter(pk=person.pk).update(is_active=False)


def change_password(person):
    person.set_unusable_password()
    person.save()


def end_session(person):
    Session.objects.all().delete()


@pytest.mark.parametrize("event", [disable, change_password, end_session])
async def test_a_board_closes_soon_after_its_session_has_ended(board, tanaka, monkeypatch, event):
    monkeypatch.setattr(tasks, "SIGN_IN_CHECK_S", 0.05)
    async with board("/") as opened:
        await opened.painted()

        await in_thread(event, tanaka)

        assert await opened.closed() == 4401


async def test_a_closed_socket_that_ends_late_leaves_the_page_to_those_who_opened_it_again(
    board, room, tanaka, sato, monkeypatch
):
    monkeypatch.setattr(tasks, "SIGN_IN_CHECK_S", 0.05)
    async with AsyncExitStack() as lasting:
        async with board("/") as late:
            async with board("/") as early:
                await early.painted()
                await in_thread(disable, tanaka)
                assert [await each.closed() for each in (early, late)] == [4401, 4401]
            again = await lasting.enter_async_context(board("/", person=sato))
            await again.painted()

        assert [len(page.subscribers) for page in room.live_pages.values()] == [1]
        await again.beat()


async def test_signing_out_closes_every_board_of_that_session_and_no_other(board, room, tanaka, sato):
    browser = Client()
    async with board("/") as mine, board("/alerts/") as also_mine, board("/", person=sato) as another:
        for opened in (mine, also_mine, another):
            await opened.painted()
        browser.cookies["tms_session"] = mine._scope["session"].session_key

        await in_thread(browser.post, "/sign-out/")

        assert [await opened.closed() for opened in (mine, also_mine)] == [4401, 4401]
        await another.beat()
        assert not another.connection.closed.done()


async def test_ending_a_session_from_another_browser_closes_its_boards_at_once(board, tanaka, monkeypatch):
    monkeypatch.setattr(tasks, "SIGN_IN_CHECK_S", 3600)
    async with board("/") as opened:
        await opened.painted()

        await in_thread(end_elsewhere, tanaka, opened._scope["session"].session_key)

        assert await opened.closed() == 4401


def end_elsewhere(person: User, key: str) -> None:
    row = UserSession.objects.create(user=person, session_key=stored_key(key), ip="198.51.100.7", user_agent="")
    browsers.end([row], person=person)


async def test_a_board_of_a_signed_in_person_stays_open(board, monkeypatch):
    monkeypatch.setattr(tasks, "SIGN_IN_CHECK_S", 0.01)
    async with board("/") as opened:
        for _ in range(5):
            await opened.beat()

        assert not opened.connection.closed.done()


async def test_the_gauge_counts_open_boards(board):
    from tms.metrics import instruments

    before = instruments.BOARDS._value.get()
    async with board("/") as one, board("/alerts/") as two:
        await one.painted()
        await two.painted()
        during = instruments.BOARDS._value.get()

    assert (during, instruments.BOARDS._value.get()) == (before + 2, before)
