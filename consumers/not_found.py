"""The answer to an upgrade request for an unknown path."""

import structlog

from consumers.rejection import refuse
from tms.ingest.admission import HandshakeRejected
from tms.server.asgi import Receive, Scope, Send

log = structlog.get_logger(__name__)

NOT_FOUND = HandshakeRejected(404, "tms:not-found", "no WebSocket at this path; use /ws/terminal/ or /ws/board/")
MAX_PATH_CHARACTERS = 200


async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers an upgrade request for an unknown path with 404; the router would raise an error."""
    await receive()
    log.info("no_such_websocket", path=scope["path"][:MAX_PATH_CHARACTERS])
    await refuse(NOT_FOUND, send)
