"""The answer to an upgrade request that is rejected."""

import msgspec

from tms.ingest.admission import HandshakeRejected
from tms.server.asgi import Send


async def refuse(refusal: HandshakeRejected, send: Send) -> None:
    """Answer the upgrade request with an HTTP status and a problem document (RFC 9457)."""
    problem = {"type": refusal.type, "status": refusal.status, "detail": refusal.message}
    body = msgspec.json.encode(problem)
    headers = [(b"content-type", b"application/problem+json"), *refusal.headers]
    await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
