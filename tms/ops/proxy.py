"""Whose `X-Forwarded-*` headers are believed: the configured proxy's, and nobody else's (R7)."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP")


class TrustedProxyMiddleware:
    """Takes the client's address and scheme from a trusted proxy, and forwarding headers of anyone else away."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        peer = request.META.get("REMOTE_ADDR", "")
        if is_trusted(peer):
            self._believe(request)
        for name in FORWARDED:
            request.META.pop(name, None)
        return self.get_response(request)

    def _believe(self, request: HttpRequest) -> None:
        client = original(request.META.get("HTTP_X_FORWARDED_FOR", ""))
        if client:
            request.META["REMOTE_ADDR"] = client
        if request.META.get("HTTP_X_FORWARDED_PROTO") == "https":
            request.META["wsgi.url_scheme"] = "https"
            request.scope = {**getattr(request, "scope", {}), "scheme": "https"}  # type: ignore[attr-defined]


def client_address(request: HttpRequest) -> str | None:
    """The client's address, once the middleware has seen to it."""
    return valid(request.META.get("REMOTE_ADDR", ""))


def socket_address(scope: Mapping[str, Any]) -> str | None:
    """The client's address of a WebSocket."""
    peer = (scope.get("client") or ("",))[0]
    if is_trusted(peer):
        for name, value in scope["headers"]:
            if name == b"x-forwarded-for":
                return original(value.decode("latin-1")) or valid(peer)
    return valid(peer)


def is_trusted(address: str) -> bool:
    return bool(valid(address)) and any(ip_address(address) in network for network in networks())


def original(forwarded_for: str) -> str | None:
    """The last hop that is not a proxy of ours: what stands before it, a client may have written."""
    for hop in reversed([hop.strip() for hop in forwarded_for.split(",")]):
        if not valid(hop):
            return None
        if not is_trusted(hop):
            return hop
    return None


def valid(address: str) -> str | None:
    try:
        return str(ip_address(address))
    except ValueError:
        return None


def networks() -> Iterable[IPv4Network | IPv6Network]:
    return _networks(tuple(settings.TRUSTED_PROXIES))


@cache
def _networks(names: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(name, strict=False) for name in names)


def is_inside(address: str | None) -> bool:
    """On a private or loopback network; an address that came through a trusted proxy is the client's own."""
    return address is not None and (ip_address(address).is_private or ip_address(address).is_loopback)
