"""The sockets of wall screens."""

import contextlib

from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from django.http import QueryDict
from django.utils import timezone

from consumers import connection_limits
from consumers.board import follow
from consumers.rejection import refuse
from tms.accounts.models import WallScreen
from tms.accounts.screens import credentials, pairing
from tms.accounts.screens.viewer import ScreenViewer, key_of
from tms.boards.live.rights_check import RIGHTS_CHANGED
from tms.boards.live.subscriber import Subscriber
from tms.boards.pages import WallPage
from tms.boards.wall.waiting import waiting_screens
from tms.metrics import instruments
from tms.ops.middleware.trusted_proxy import socket_address
from tms.runtime.process_state import start_boards
from tms.server import Connection
from tms.server.asgi import Receive, Scope, Send

MAX_HEADER_CHARACTERS = 200


class WallConsumer(AsyncConsumer):
    """The socket of a wall screen: its wall, or before the pairing nothing until its code was entered.

    The route has neither sessions nor people, and this consumer opens no page but the wall.
    """

    channel_layer_alias = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        address = socket_address(scope)
        with contextlib.ExitStack() as inside:
            if not connection_limits.addresses.enter(address):
                await refuse(connection_limits.too_many_of_address(), send)
                return
            inside.callback(connection_limits.addresses.leave, address)
            screen = await database_sync_to_async(screen_of)(scope)
            if screen is not None and not connection_limits.screens.enter(screen.pk):
                await refuse(connection_limits.too_many_of_screen(), send)
                return
            if screen is not None:
                inside.callback(connection_limits.screens.leave, screen.pk)
            await send({"type": "websocket.accept"})
            if screen is None:
                await wait(scope, receive)
            else:
                await show(screen, scope, receive)


async def show(screen: WallScreen, scope: Scope, receive: Receive) -> None:
    with instruments.WALL_SCREENS.track_inprogress():
        subscriber = Subscriber(scope["tms.connection"], person=None, session=screen.pk, rights_key=key_of(screen))
        page = WallPage.open(QueryDict(), person=ScreenViewer(screen))
        await follow(page, screen.language, subscriber, receive)


async def wait(scope: Scope, receive: Receive) -> None:
    """Wait until a screen was paired; then the browser loads the page again. It does so at once if it has no valid
    code.
    """
    connection: Connection = scope["tms.connection"]
    start_boards()
    waiting_screens().add(connection)
    try:
        if await database_sync_to_async(is_settled)(scope):
            connection.close(RIGHTS_CHANGED, "load the page again")
        while (await receive())["type"] == "websocket.receive":
            pass
    finally:
        waiting_screens().discard(connection)


def screen_of(scope: Scope) -> WallScreen | None:
    """The screen of the cookie."""
    headers = dict(scope["headers"])
    admission = credentials.admit(
        credentials.secret_in(scope["cookies"]),
        at=timezone.now(),
        address=socket_address(scope),
        browser=headers.get(b"user-agent", b"").decode("latin-1")[:MAX_HEADER_CHARACTERS],
    )
    return admission.screen if admission else None


def is_settled(scope: Scope) -> bool:
    """Whether there is nothing to wait for: the code has expired, or was entered before the socket was registered."""
    return pairing.of_television(credentials.secret_in(scope["cookies"]), at=timezone.now()) is None
