"""The steps of a drain that take time: hooks, and the closes of all sockets."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any

from tms.protocol.close_codes import CloseCode
from tms.server.asgi import Scope
from tms.server.websocket.handshake import Phase
from tms.server.websocket.socket import WebSocket

log = logging.getLogger(__name__)

type Hook = Callable[..., Awaitable[None] | None]
type DrainCode = Callable[[Scope], int]

REASON = "restarting; reconnect"

WORTH_SLEEPING = 0.01


async def bounded(seconds: float, hook: Hook | None, *given: Any) -> None:
    """Run a hook; the drain continues even if it fails."""
    if hook is None:
        return
    try:
        async with asyncio.timeout(seconds):
            await called(hook, *given)
    except Exception:
        log.exception("%s failed", getattr(hook, "__qualname__", hook))


async def called(hook: Hook, *given: Any) -> None:
    result = hook(*given)
    if inspect.isawaitable(result):
        await result


async def close_all(sockets: Sequence[WebSocket], code: DrainCode, *, spread: float) -> None:
    """Close one after the other, because everyone reconnects at once to another node."""
    start = monotonic()
    for count, socket in enumerate(sockets):
        early = start + spread * count / len(sockets) - monotonic()
        if early > WORTH_SLEEPING:
            await asyncio.sleep(early)
        close(socket, code)


def close(socket: WebSocket, code: DrainCode) -> None:
    if socket.phase is Phase.CONNECTING:
        socket.refuse("refused_draining")
    elif socket.phase is Phase.OPEN:
        socket.shared.counters["drained"] += 1
        try:
            socket.close(code(socket.scope or {}), REASON)
        except Exception:  # an invalid code of one socket must not end the drain of the others
            log.exception("no close code for %s", socket)
            socket.close(CloseCode.DRAINING, REASON)
