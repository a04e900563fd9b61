"""HTTP to Django, WebSockets to consumers; nothing else."""

import os
from collections.abc import Coroutine
from inspect import markcoroutinefunction
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tms.config.settings")
django_application = get_asgi_application()

from consumers.routing import websockets
from tms.accounts.sign_in.gate import SignInGate
from tms.ops.middleware.trusted_proxy import socket_address

http = SignInGate(django_application, address_of=socket_address)
applications: dict[str, Any] = {"http": http, "websocket": websockets}


@markcoroutinefunction
def application(scope: dict[str, Any], receive: Any, send: Any) -> Coroutine[Any, Any, None]:
    """Returns the coroutine of the application: one that awaits it would stay in memory as long as the socket."""
    if scope["type"] not in applications:
        raise ValueError(f"no application for {scope['type']!r}")  # what servers expect, which try `lifespan`
    coroutine: Coroutine[Any, Any, None] = applications[scope["type"]](scope, receive, send)
    return coroutine
