"""The sockets of boards."""

import contextlib
import time
from typing import Any
from urllib.parse import parse_qs

import structlog
from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from django.conf import settings
from django.utils import timezone

from consumers import connection_limits, messages
from consumers.messages import PER_MINUTE, MessageBudget, Resync, ViewingMessage
from consumers.rejection import refuse
from tms.accounts.access import may, may_watch, rights_of
from tms.accounts.permissions import Permission
from tms.accounts.sessions.signed_in import is_open
from tms.accounts.sessions.store import stored_key
from tms.boards.live.board_hub import board_hub
from tms.boards.live.live_page import LivePage
from tms.boards.live.subscriber import Subscriber
from tms.boards.pages import BoardPage, page_at
from tms.feed.viewers import Viewing
from tms.ingest.admission import HandshakeRejected
from tms.ops.middleware.trusted_proxy import socket_address
from tms.runtime.process_state import start_boards
from tms.server.asgi import Receive, Scope, Send

log = structlog.get_logger(__name__)

BAD_MESSAGE, TOO_FAST = 4400, 4429


class BoardConsumer(AsyncConsumer):
    """A board's socket: find the page, subscribe to it and read messages. Knows limits, not pages.

    `SameOrigin` and the session middleware run before it. It reads in a loop of its own, like the terminal consumer.
    """

    channel_layer_alias = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        person, address = scope["user"], socket_address(scope)
        with contextlib.ExitStack() as inside:
            if (refusal := enter(inside, address, person)) is not None:
                await refuse(refusal, send)
            else:
                await self.show(scope, receive, send)

    async def show(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
        person = scope["user"]
        page, may_type = None, False
        if may_watch(person):
            page = await database_sync_to_async(page_of)(scope, query.get("page", ""))
            may_type = await database_sync_to_async(may)(person, Permission.HANDLE_ALERTS)
        if page is None:
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept"})
        subscriber = Subscriber(
            scope["tms.connection"],
            person=person.pk,
            session=stored_key(scope["session"].session_key),
            rights_key=rights_of(person).key,
        )
        subscriber.may_type = may_type
        await follow(page, language_of(query), subscriber, receive)


def page_of(scope: Scope, address: str) -> BoardPage | None:
    """The page at this address; None if there is no such page for the person, or their session was not used for too
    long.
    """
    if not is_open(scope["session"], at=timezone.now()):
        return None
    return page_at(address, person=scope["user"])


async def follow(page: BoardPage, language: str, subscriber: Subscriber, receive: Receive) -> None:
    """Show the subscriber a live page until the socket ends."""
    hub = start_boards()
    live_page = hub.subscribe(page, language, subscriber)
    try:
        await listen(receive, subscriber, live_page)
    finally:
        hub.unsubscribe(live_page, subscriber)


async def listen(receive: Receive, subscriber: Subscriber, live_page: LivePage) -> None:
    budget = MessageBudget(time.monotonic())
    while (message := await receive())["type"] == "websocket.receive":
        received = messages.read(message.get("text") or message.get("bytes") or "")
        if received is None or (subscriber.person is None and not isinstance(received, Resync)):
            subscriber.wire.close(BAD_MESSAGE, "unsupported message; see docs/urls.md")
        elif not budget.spend(type(received), time.monotonic()):
            subscriber.wire.close(TOO_FAST, f"too many messages; limit {PER_MINUTE[type(received)]} per minute")
        elif isinstance(received, Resync):
            board_hub().repaint(subscriber)
        elif subscriber.person is not None:
            viewing = viewing_of(subscriber.person, received, may_type=subscriber.may_type)
            board_hub().set_viewing(live_page, subscriber, viewing)


def viewing_of(person: int, message: ViewingMessage, *, may_type: bool) -> Viewing:
    if message.doing == "nothing":
        return Viewing(person)
    return Viewing(person, message.alert, message.doing == "typing" and may_type, message.incident)


def enter(inside: contextlib.ExitStack, address: str | None, person: Any) -> HandshakeRejected | None:
    """Count the socket until `inside` is left. Returns the rejection if a limit is reached."""
    if not connection_limits.addresses.enter(address):
        return connection_limits.too_many_of_address()
    inside.callback(connection_limits.addresses.leave, address)
    if person.pk is None:
        return None
    if not connection_limits.people.enter(person.pk):
        return connection_limits.too_many_of_person()
    inside.callback(connection_limits.people.leave, person.pk)
    return None


def language_of(query: dict[str, str]) -> str:
    """The page's language, which it took from the person's profile, the cookie or the browser."""
    spoken = query.get("language", "")
    return spoken if spoken in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
