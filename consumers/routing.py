"""The paths of sockets."""

from collections.abc import Coroutine
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.sessions import CookieMiddleware
from django.urls import URLPattern, path, re_path

from consumers.board import BoardConsumer
from consumers.not_found import nowhere
from consumers.origin import SameOrigin
from consumers.terminal import TerminalConsumer
from consumers.wall import WallConsumer
from tms.server.asgi import Receive, Scope, Send


class WebSocketRouter:
    """Channels' URLRouter keeps a coroutine and a copy of the scope as long as the socket (1.4 KiB); this one neither.

    The last route matches every path.
    """

    def __init__(self, routes: list[URLPattern]) -> None:
        self.routes = routes

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        path = scope["path"].lstrip("/")
        route = next(route for route in self.routes if route.pattern.match(path))
        coroutine: Coroutine[Any, Any, None] = route.callback(scope, receive, send)
        return coroutine


board = SameOrigin(AuthMiddlewareStack(BoardConsumer.as_asgi()))
wall = SameOrigin(CookieMiddleware(WallConsumer.as_asgi()))
websockets = WebSocketRouter(
    [
        # Terminals have no session and no sign-in: ignoring cookies makes handshakes five times cheaper.
        path("ws/terminal/", TerminalConsumer()),  # type: ignore[arg-type]
        path("ws/board/", board),  # type: ignore[arg-type]  # an ASGI application, which the stubs of path do not know
        # Neither session nor sign-in: the cookie of a wall screen opens this route only.
        path("ws/wall/", wall),  # type: ignore[arg-type]
        re_path("", nowhere),  # type: ignore[arg-type]
    ]
)
