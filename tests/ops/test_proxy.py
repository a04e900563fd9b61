"""Whose forwarded headers are trusted."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from tms.ops.middleware.trusted_proxy import TrustedProxyMiddleware, client_address, is_inside, socket_address, valid

PROXY, FAR_PROXY, CLIENT, LIAR = "10.0.0.1", "10.0.0.2", "203.0.113.9", "198.51.100.66"

ADDRESSES = [
    # the peer, X-Forwarded-For (one entry per header), the client
    (CLIENT, [], CLIENT),
    (CLIENT, [LIAR], CLIENT),
    (PROXY, [CLIENT], CLIENT),
    (PROXY, [f"{LIAR}, {CLIENT}"], CLIENT),
    (PROXY, [LIAR, CLIENT], CLIENT),
    (PROXY, [f"{LIAR}, {CLIENT}, {FAR_PROXY}"], CLIENT),
    (PROXY, [f"{LIAR}, {CLIENT}", FAR_PROXY], CLIENT),
    (PROXY, [f"  {CLIENT}  "], CLIENT),
    (PROXY, ["2001:db8::9"], "2001:db8::9"),
    (PROXY, ["2001:DB8:0::9"], "2001:db8::9"),
    (PROXY, ["fe80::9%eth0"], "fe80::9"),
    (PROXY, [f"::ffff:{CLIENT}"], CLIENT),
    (f"::ffff:{PROXY}", [CLIENT], CLIENT),
    (f"::ffff:{CLIENT}", [LIAR], CLIENT),
    ("2001:db8:1::1", [CLIENT], CLIENT),
    (PROXY, [], PROXY),
    (PROXY, [FAR_PROXY], PROXY),
    # A forwarded value that cannot be read: the client is unknown, and certainly not the proxy.
    (PROXY, [f"{CLIENT}, nonsense"], None),
    (PROXY, [f"{CLIENT}:4711"], None),
    (PROXY, ["unknown"], None),
    (PROXY, [""], PROXY),
    ("", [CLIENT], None),
    ("nonsense", [CLIENT], None),
]


@pytest.fixture(autouse=True)
def trusted(settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/30", "2001:db8:1::/48"]


def through(**meta: Any) -> Any:
    """The request as a view gets it."""
    seen = []

    def view(request: Any) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    TrustedProxyMiddleware(view)(RequestFactory().get("/", **meta))
    return seen[0]


@pytest.mark.parametrize(("peer", "forwarded", "client"), ADDRESSES)
def test_the_clients_address_of_a_request(peer, forwarded, client):
    meta = {"HTTP_X_FORWARDED_FOR": ",".join(forwarded)} if forwarded else {}  # Django joins repeated headers like this

    request = through(REMOTE_ADDR=peer, **meta)

    assert client_address(request) == client


@pytest.mark.parametrize(("peer", "forwarded", "client"), ADDRESSES)
def test_the_clients_address_of_a_socket(peer, forwarded, client):
    headers = [(b"host", b"tms"), *((b"x-forwarded-for", value.encode()) for value in forwarded)]

    assert socket_address({"client": (peer, 4711), "headers": headers}) == client


def test_a_socket_without_a_peer_has_no_address():
    assert socket_address({"client": None, "headers": []}) is None


@pytest.mark.parametrize(
    ("peer", "proto", "secure"),
    [(PROXY, "https", True), (PROXY, "http", False), (PROXY, "ftp", False), (CLIENT, "https", False)],
)
def test_only_a_trusted_proxy_can_report_that_a_request_used_https(peer, proto, secure):
    request = through(REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=CLIENT, HTTP_X_FORWARDED_PROTO=proto)

    assert request.is_secure() is secure


@pytest.mark.parametrize("peer", [PROXY, CLIENT])
def test_no_view_gets_a_forwarding_header(peer):
    names = ("FOR", "PROTO", "HOST", "PORT")

    request = through(
        REMOTE_ADDR=peer,
        HTTP_FORWARDED="for=1.2.3.4",
        HTTP_X_REAL_IP="1.2.3.4",
        **{f"HTTP_X_FORWARDED_{name}": "1.2.3.4" for name in names},
    )

    assert not [name for name in request.META if "FORWARDED" in name or "REAL_IP" in name]


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("127.0.0.1", True),
        ("10.9.8.7", True),
        ("192.168.1.1", True),
        ("172.31.0.1", True),
        ("::1", True),
        ("fd00::1", True),
        ("fe80::1", True),
        (CLIENT.replace("203.0.113", "8.8.8"), False),
        ("2606:4700::1", False),
        ("::ffff:8.8.8.8", False),
        ("::ffff:10.0.0.1", True),
        (None, False),
    ],
)
def test_private_networks_are_recognised(address, inside):
    assert is_inside(None if address is None else valid(address)) is inside
