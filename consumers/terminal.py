"""The sockets of terminals."""

import time

from consumers import connection_limits
from consumers.rejection import refuse
from tms.fleet.credentials.services import CredentialKey
from tms.fleet.models import Cause
from tms.ingest.admission import HandshakeRejected
from tms.ingest.gateway import Gateway
from tms.ingest.session import Session
from tms.metrics import instruments
from tms.ops.middleware.trusted_proxy import socket_address
from tms.protocol import SUBPROTOCOL
from tms.runtime.process_state import start_links
from tms.server import Connection
from tms.server.asgi import Receive, Scope, Send

OF_HANDSHAKE = ("headers", "subprotocols", "query_string", "raw_path", "client", "server")
"""Parts of a scope that an admitted terminal no longer needs, its credential among them: half a KiB of each link."""


class TerminalConsumer:
    """A terminal's socket: admit, read, hand over, answer. Knows limits, not rules. One serves all terminals.

    It reads in a loop of its own, because Channels' dispatch makes a round trip through a thread for every message.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        address = socket_address(scope)
        if not connection_limits.addresses.enter(address):
            await turn_away(connection_limits.too_many_of_address(), send)
            return
        try:
            gateway = start_links()
            decision = await decide(gateway, scope, address)
            if isinstance(decision, HandshakeRejected):
                await turn_away(decision, send)
                return
            instruments.HANDSHAKES.labels("101").inc()
            await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
            discard_handshake(scope)
            connection: Connection = scope["tms.connection"]
            session = gateway.open(decision, wire=connection, address=address)
            del decision, receive, send  # they would stay in memory as long as the link
            await self.serve(gateway, session, connection)
        finally:
            connection_limits.addresses.leave(address)

    async def serve(self, gateway: Gateway, session: Session, connection: Connection) -> None:
        session.expect_boot()
        cause = Cause.CONNECTION_LOST
        try:
            await connection.deliver(session.take)
        finally:
            if gateway.admission.is_draining:
                cause = Cause.NODE_STOPPED
            session.end(cause, silent_s=connection.silent_s)


def discard_handshake(scope: Scope) -> None:
    for name in OF_HANDSHAKE:
        scope.pop(name, None)


async def decide(gateway: Gateway, scope: Scope, address: str | None) -> CredentialKey | HandshakeRejected:
    began = time.monotonic()
    decision = await gateway.admission.decide(scope, address=address)
    instruments.HANDSHAKE_SECONDS.observe(time.monotonic() - began)
    return decision


async def turn_away(refusal: HandshakeRejected, send: Send) -> None:
    instruments.HANDSHAKES.labels(str(refusal.status)).inc()
    await refuse(refusal, send)
