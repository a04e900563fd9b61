"""An HTTP client for the checks: cookies, forms, WebSocket handshakes. It follows no redirect."""

import http.client
import re
import socket
import ssl
import time
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

TIMEOUT_S = 15
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
"""The example of RFC 6455. The check does not verify the answer to it."""


class HttpResponse(NamedTuple):
    status: int
    body: str
    headers: http.client.HTTPMessage
    seconds: float


class HttpClient:
    def __init__(self, url: str, *, insecure: bool) -> None:
        self._parts = urlsplit(url)
        self._insecure = insecure
        self.cookies: dict[str, str] = {}

    @property
    def origin(self) -> str:
        return f"{self._parts.scheme}://{self._parts.netloc}"

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, fields: Mapping[str, str]) -> HttpResponse:
        """Submit a form, with the CSRF token of the page at `path`."""
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', self.get(path).body)
        body = urlencode({"csrfmiddlewaretoken": token[1] if token else "", **fields})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": self.origin + path}
        return self.request("POST", path, body=body, headers=headers | {"Origin": self.origin})

    def request(self, method: str, path: str, *, body: str = "", headers: Mapping[str, str]) -> HttpResponse:
        began = time.monotonic()
        connection = self.connection()
        try:
            own_headers = {"Cookie": self.cookie, "User-Agent": "tms-check"}
            connection.request(method, path, body or None, {**own_headers, **headers})
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        finally:
            connection.close()
        for line in response.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return HttpResponse(response.status, text, response.headers, time.monotonic() - began)

    def upgrade(self, path: str, **headers: str) -> int:
        """The HTTP status of a WebSocket handshake: 101, or that of the rejection."""
        offer = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": KEY,
            "Sec-WebSocket-Version": "13",
        }
        connection = self.connection()
        try:
            connection.request("GET", path, headers={"Cookie": self.cookie} | offer | headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=ssl_context(insecure=self._insecure))

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


def ssl_context(*, insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class TlsHandshake(NamedTuple):
    version: str
    certificate: bytes
    """DER."""


def handshake(host: str, port: int, *, insecure: bool) -> TlsHandshake:
    """Raises OSError, for example if the certificate is not trusted."""
    with (
        socket.create_connection((host, port), timeout=TIMEOUT_S) as plain,
        ssl_context(insecure=insecure).wrap_socket(plain, server_hostname=host) as tls,
    ):
        return TlsHandshake(tls.version() or "", tls.getpeercert(binary_form=True) or b"")
