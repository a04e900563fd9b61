"""ASGI types (asgi.readthedocs.io, version 3.0)."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

type Scope = dict[str, Any]
type Message = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Application = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

ASGI = {"version": "3.0", "spec_version": "2.4"}
EXTENSIONS: dict[str, dict[str, Any]] = {"websocket.http.response": {}}
"""The extensions in each WebSocket's scope."""
