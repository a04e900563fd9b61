"""The check of the pages from which a board's socket may be opened."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from tms.ops.middleware.trusted_proxy import is_forwarded_https
from tms.server.asgi import Receive, Scope, Send

log = structlog.get_logger(__name__)


class SameOrigin:
    """Admits a WebSocket only from a page of the same host: another, `null` or missing Origin gets 403."""

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        origin, host = (headers.get(name, b"").decode("latin-1") for name in (b"origin", b"host"))
        if is_same(origin, host, is_secure=settings.HTTPS_ONLY or is_forwarded_https(scope)):
            await self.application(scope, receive, send)
            return
        log.warning("origin_refused", origin=origin, host=host)
        await receive()
        await send({"type": "websocket.close"})


def is_same(origin: str, host: str, *, is_secure: bool) -> bool:
    """Whether the origin is the host itself. If TMS serves no HTTPS, both schemes are admitted: a proxy that it does
    not know may terminate TLS.
    """
    domain, _port = split_domain_port(host)
    if not origin or not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return False
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:  # brackets that are no address
        return False
    return parts.scheme in (("https",) if is_secure else ("http", "https")) and parts.netloc.lower() == host.lower()
