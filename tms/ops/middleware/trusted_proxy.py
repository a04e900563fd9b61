"""Trusts `X-Forwarded-*` headers of the configured proxies only."""

from collections.abc import Callable
from functools import cache, lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tms.server.asgi import Scope

FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)
UNNAMED_PROXY = "tms.unnamed_proxy"

MAX_CACHED_ADDRESSES = 4_096
"""Addresses. Parsing one takes 10 us, and those of proxies and sites are repeated."""
MAX_CHARACTERS = 64
"""Characters of an address, beyond which only a zone can continue."""


class TrustedProxyMiddleware:
    """Takes the client's address and scheme from a trusted proxy, and removes the forwarding headers of all others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_trusted(request.META.get("REMOTE_ADDR", "")):
            self._believe(request)
        else:
            request.META[UNNAMED_PROXY] = any(name in request.META for name in FORWARDED)
        for name in FORWARDED:
            request.META.pop(name, None)
        return self.get_response(request)

    def _believe(self, request: HttpRequest) -> None:
        forwarded_for = request.META.get("HTTP_X_FORWARDED_FOR", "")
        request.META["REMOTE_ADDR"] = original(request.META["REMOTE_ADDR"], forwarded_for) or ""
        if request.META.get("HTTP_X_FORWARDED_PROTO") == "https":
            request.META["wsgi.url_scheme"] = "https"
            request.scope = {**getattr(request, "scope", {}), "scheme": "https"}  # type: ignore[attr-defined]


def client_address(request: HttpRequest) -> str | None:
    """The client's address, as set by the middleware."""
    return valid(request.META.get("REMOTE_ADDR", ""))


def came_through_unnamed_proxy(request: HttpRequest) -> bool:
    """Forwarded by a proxy that is not trusted: the address is the proxy's, not the client's."""
    return bool(request.META.get(UNNAMED_PROXY))


def socket_address(scope: Scope) -> str | None:
    """The client's address of a WebSocket."""
    peer = (scope.get("client") or ("",))[0]
    # A proxy may add a header of its own to the one that the client sent.
    forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return original(peer, ",".join(forwarded))


def is_forwarded_https(scope: Scope) -> bool:
    """Whether a trusted proxy received this WebSocket over TLS."""
    peer = (scope.get("client") or ("",))[0]
    return is_trusted(peer) and (b"x-forwarded-proto", b"https") in scope["headers"]


def is_trusted(address: str) -> bool:
    return _is_trusted(address[:MAX_CHARACTERS], tuple(settings.TRUSTED_PROXIES))


@lru_cache(MAX_CACHED_ADDRESSES)
def _is_trusted(address: str, proxies: tuple[str, ...]) -> bool:
    known = valid(address)
    return known is not None and any(ip_address(known) in network for network in _networks(proxies))


def original(peer: str, forwarded_for: str) -> str | None:
    """The last hop that is not our proxy; earlier ones may be forged by a client. None if it is invalid."""
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    for hop in (peer, *reversed(hops)):
        if not is_trusted(hop):
            return valid(hop)
    return valid(peer)


def valid(address: str) -> str | None:
    """`address` in canonical form: without a zone, and IPv4 even if it was mapped to IPv6."""
    return _valid(address[:MAX_CHARACTERS])


@lru_cache(MAX_CACHED_ADDRESSES)
def _valid(address: str) -> str | None:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    wrapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(wrapped or parsed)


@cache
def _networks(names: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(name, strict=False) for name in names)


def is_inside(address: str | None) -> bool:
    """Whether an address is on a private or loopback network; one that came through a trusted proxy is the client's
    own.
    """
    return address is not None and (ip_address(address).is_private or ip_address(address).is_loopback)
