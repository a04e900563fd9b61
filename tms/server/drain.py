"""The end of a server process."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

from tms.protocol.close_codes import CloseCode
from tms.server.websocket.handshake import Phase

if TYPE_CHECKING:
    from tms.server.server import Server
    from tms.server.websocket.socket import WebSocket

log = logging.getLogger(__name__)

type Hook = Callable[..., Awaitable[None] | None]

REASON = "restarting; reconnect"

SLACK = 1.5
"""A close timeout may be noticed a second late."""

WORTH_SLEEPING = 0.01


async def drain(server: Server) -> None:
    """Ends a process: no new connections, the application's goodbyes, then sockets are closed one by one, applications
    end.

    daphne cancels all applications at once instead, and clients see 1006.
    """
    try:
        server.acceptor.shut()
        if server.is_ready:
            await bounded(server.flow.hook_timeout, server.on_drain, server)
        await close_all(server)
        await answered(server)
    finally:
        # Nobody who has not answered by now may keep the process from ending.
        for socket in server.sockets():
            socket.drop("drain_aborted")
        await server.applications.end_all()
        await bounded(server.flow.hook_timeout, server.on_stop)
        log.info("drained: %s", dict(server.counters))


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


async def close_all(server: Server) -> None:
    sockets = server.sockets()
    start = monotonic()
    for count, socket in enumerate(sockets):
        # One after the other, because everyone reconnects at once to another node.
        early = start + server.flow.drain_spread * count / len(sockets) - monotonic()
        if early > WORTH_SLEEPING:
            await asyncio.sleep(early)
        close(server, socket)


def close(server: Server, socket: WebSocket) -> None:
    if socket.phase is Phase.CONNECTING:
        socket.refuse("refused_draining")
    elif socket.phase is Phase.OPEN:
        server.counters["drained"] += 1
        try:
            socket.close(server.drain_code(socket.scope or {}), REASON)
        except Exception:  # an invalid code of one socket must not end the drain of the others
            log.exception("no close code for %s", socket)
            socket.close(CloseCode.DRAINING, REASON)


async def answered(server: Server) -> None:
    """Wait for the peers' close frames and for requests in progress."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(server.flow.close_timeout + SLACK):
            await server.idle()
