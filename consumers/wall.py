import contextlib
from typing import Any

from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from django.http import QueryDict
from django.utils import timezone

from consumers import connection_limits
from consumers.board import BoardWriter, follow
from consumers.rejection import refuse
from consumers.socket_writer import Receive, Send, writer_of
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

LONGEST_HEADER = 200


class WallConsumer(AsyncConsumer):
    """The socket of a wall screen: its wall, or before the pairing nothing until its code was entered.

    The route has neither sessions nor people, and this consumer opens no page but the wall.
    """

    channel_layer_alias = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
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
                await wait(scope, receive, send)
            else:
                await show(screen, scope, receive, send)


async def show(screen: WallScreen, scope: dict[str, Any], receive: Receive, send: Send) -> None:
    with writer_of(scope, receive, send) as wire, instruments.WALL_SCREENS.track_inprogress():
        subscriber = Subscriber(BoardWriter(scope, wire), person=None, session=screen.pk, rights_key=key_of(screen))
        page = WallPage.open(QueryDict(), person=ScreenViewer(screen))
        await follow(page, screen.language, subscriber, receive)


async def wait(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Until a screen was paired; then the browser loads the page again. Without a valid code it does so at once."""
    with writer_of(scope, receive, send) as wire:
        start_boards()
        waiting_screens().add(wire)
        try:
            if await database_sync_to_async(is_settled)(scope):
                wire.close(RIGHTS_CHANGED, "load the page again")
            while (await receive())["type"] == "websocket.receive":
                pass
        finally:
            waiting_screens().discard(wire)


def screen_of(scope: dict[str, Any]) -> WallScreen | None:
    """The screen of the cookie."""
    headers = dict(scope["headers"])
    admission = credentials.admit(
        credentials.secret_in(scope["cookies"]),
        at=timezone.now(),
        address=socket_address(scope),
        browser=headers.get(b"user-agent", b"").decode("latin-1")[:LONGEST_HEADER],
    )
    return admission.screen if admission else None


def is_settled(scope: dict[str, Any]) -> bool:
    """Whether there is nothing to wait for: the code has expired, or was entered before the socket was registered."""
    return pairing.of_television(credentials.secret_in(scope["cookies"]), at=timezone.now()) is None
