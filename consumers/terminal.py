import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog
from channels.consumer import AsyncConsumer
from django.conf import settings

from consumers.wire import DirectWire, QueuedWire, Send, wire_of
from tms.fleet.credentials import Key
from tms.fleet.models import Cause
from tms.ingest.admission import Refusal
from tms.ingest.gateway import Gateway, gateway
from tms.ingest.session import Session
from tms.ops import instruments
from tms.ops.proxy import socket_address
from tms.protocol import SUBPROTOCOL, limits
from tms.protocol.close import CloseCode

type Receive = Callable[[], Awaitable[dict[str, Any]]]

log = structlog.get_logger(__name__)


class TerminalConsumer(AsyncConsumer):
    """A terminal's socket: admit, read, hand over, answer. Knows limits, not rules.

    It reads in a loop of its own: Channels' dispatch makes a round trip through a thread for every message.
    """

    channel_layer_alias = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        began = time.monotonic()
        await receive()
        door = gateway()
        door.start()
        decision = await door.admission.decide(scope)
        instruments.HANDSHAKE_SECONDS.observe(time.monotonic() - began)
        if isinstance(decision, Refusal):
            instruments.HANDSHAKES.labels(str(decision.status)).inc()
            await refuse(decision, send)
            return
        instruments.HANDSHAKES.labels("101").inc()
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        await self.serve(door, decision, scope, receive, send)

    async def serve(self, door: Gateway, key: Key, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        wire = wire_of(scope, send)
        session = door.open(key, wire=wire, address=socket_address(scope))
        deadline = asyncio.get_running_loop().call_later(settings.BOOT_DEADLINE_S, session.refuse_unbooted)
        cause = Cause.CONNECTION_LOST
        try:
            if isinstance(wire, DirectWire):
                await wire.deliver(session.take)  # which has closed what is too large
            else:
                await deliver(receive, session)
        finally:
            deadline.cancel()
            if door.admission.is_draining:
                cause = Cause.NODE_STOPPED
            session.end(cause)
            if isinstance(wire, QueuedWire):
                wire.stop()


async def deliver(receive: Receive, session: Session) -> None:
    """What arrives on another ASGI server."""
    while (message := await receive())["type"] == "websocket.receive":
        text = message.get("text") or message.get("bytes") or ""
        if is_too_large(text):
            session.close(CloseCode.TOO_LARGE, f"a frame has at most {limits.FRAME_BYTES} bytes")
        elif (behind := session.take(text)) is not None:
            await behind


def is_too_large(text: str | bytes) -> bool:
    """Counted in bytes, and encoded only when it could matter."""
    most = 4 if isinstance(text, str) else 1
    if len(text) * most <= limits.FRAME_BYTES:
        return False
    return len(text.encode() if isinstance(text, str) else text) > limits.FRAME_BYTES


async def refuse(refusal: Refusal, send: Send) -> None:
    """Answer the upgrade with an HTTP status and a problem document (RFC 9457)."""
    problem = {"type": refusal.type, "status": refusal.status, "detail": refusal.message}
    body = msgspec.json.encode(problem)
    headers = [(b"content-type", b"application/problem+json"), *refusal.headers]
    await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
