"""Who comes by the front door: pages with cookies, sockets by hand. Follows no redirect."""

import http.client
import re
import socket
import ssl
import time
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

PATIENCE_S = 15
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
"""RFC 6455's own example: a server that answers proves nothing by it, and need not."""


class Answer(NamedTuple):
    status: int
    body: str
    headers: http.client.HTTPMessage
    seconds: float


class Visitor:
    def __init__(self, url: str, *, insecure: bool) -> None:
        self._parts = urlsplit(url)
        self._insecure = insecure
        self.cookies: dict[str, str] = {}

    @property
    def origin(self) -> str:
        return f"{self._parts.scheme}://{self._parts.netloc}"

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, fields: Mapping[str, str]) -> Answer:
        """A form, with the token of the page at `path`."""
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', self.get(path).body)
        body = urlencode({"csrfmiddlewaretoken": token[1] if token else "", **fields})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": self.origin + path}
        return self.ask("POST", path, body=body, headers=headers | {"Origin": self.origin})

    def ask(self, method: str, path: str, *, body: str = "", headers: Mapping[str, str]) -> Answer:
        began = time.monotonic()
        connection = self.connection()
        try:
            ours = {"Cookie": self.cookie, "User-Agent": "tms-check"}
            connection.request(method, path, body or None, {**ours, **headers})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return Answer(answer.status, text, answer.headers, time.monotonic() - began)

    def upgrade(self, path: str, **headers: str) -> int:
        """The status with which a WebSocket is accepted (101) or refused."""
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
            return http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
        return http.client.HTTPSConnection(host, port, timeout=PATIENCE_S, context=trust(insecure=self._insecure))

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


def trust(*, insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Handshake(NamedTuple):
    version: str
    certificate: bytes
    """DER."""


def handshake(host: str, port: int, *, insecure: bool) -> Handshake:
    """Raises OSError, for example when nobody vouches for the certificate."""
    with (
        socket.create_connection((host, port), timeout=PATIENCE_S) as plain,
        trust(insecure=insecure).wrap_socket(plain, server_hostname=host) as tls,
    ):
        return Handshake(tls.version() or "", tls.getpeercert(binary_form=True) or b"")
