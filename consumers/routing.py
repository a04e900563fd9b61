from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.urls import path, re_path

from consumers.board import BoardConsumer
from consumers.not_found import nowhere
from consumers.origin import SameOrigin
from consumers.terminal import TerminalConsumer

board = SameOrigin(AuthMiddlewareStack(BoardConsumer.as_asgi()))
websockets = URLRouter(
    [
        # Terminals have no session and no sign-in: ignoring cookies makes handshakes five times cheaper.
        path("ws/terminal/", TerminalConsumer.as_asgi()),
        path("ws/board/", board),  # type: ignore[arg-type]  # an ASGI application, which the stubs of path do not know
        re_path("", nowhere),  # type: ignore[arg-type]
    ]
)
