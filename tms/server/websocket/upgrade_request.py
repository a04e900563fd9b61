"""The request for a WebSocket, and the answer (RFC 6455, 4.2)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha1
from typing import NamedTuple
from urllib.parse import unquote

type Headers = Sequence[tuple[str, str]]
type RawHeaders = Sequence[tuple[bytes, bytes]]
"""Names are in lower case."""

MAX_HEAD_BYTES = 16 * 1024
"""Bytes of a head; Twisted's limit for a page."""
METHOD, END = b"GET ", b"\r\n\r\n"
UPGRADE = re.compile(rb"\r\nupgrade:[ \t]*websocket[ \t]*\r\n", re.IGNORECASE)
HEAD = re.compile(
    rb"GET (/[!\"$-~]*+) HTTP/1\.1\r\n"
    rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t -~\x80-\xff]*+\r\n)++)\r\n"
)
"""Path and headers (RFC 9112, 3 and 5); a folded header is none."""
KEY = re.compile(rb"[0-9A-Za-z+/]{22}==")
HOST = re.compile(rb"(?:[0-9A-Za-z._-]++|\[[0-9A-Fa-f:.]++\])(?::[0-9]{1,5})?+")
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
ONCE = (b"host", b"upgrade", b"sec-websocket-key", b"sec-websocket-version")


class InvalidUpgrade(Exception):
    """Answered with this status; the message says what was expected."""

    def __init__(self, message: str, *, status: int = 400, headers: Headers = ()) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers


class UpgradeRequest(NamedTuple):
    """A valid request. `answer` is the beginning of a positive response."""

    path: str
    raw_path: bytes
    query: bytes
    headers: RawHeaders
    subprotocols: Sequence[str]
    answer: bytes


def may_continue(data: bytes) -> bool:
    """Whether `data` is the beginning of a head that may be one of an upgrade."""
    begins = data.startswith(METHOD) or METHOD.startswith(data)
    return begins and len(data) < MAX_HEAD_BYTES and END not in data


def head_in(data: bytes) -> bytes | None:
    """The head at the start of `data` if it is one of an upgrade, whether valid or not."""
    head = data[: data.find(END) + len(END)]
    return head if head.startswith(METHOD) and UPGRADE.search(head) else None


def read(head: bytes) -> UpgradeRequest:
    """The request with this head. Raises InvalidUpgrade."""
    if len(head) > MAX_HEAD_BYTES:
        raise InvalidUpgrade(f"expected at most {MAX_HEAD_BYTES} bytes of headers", status=431)
    whole = HEAD.fullmatch(head)
    if whole is None:
        raise InvalidUpgrade("expected GET, a path, HTTP/1.1 and headers as in RFC 9112")
    headers = headers_in(whole[2])
    answer, subprotocols = answer_to(headers), offered_in(values_of(headers, b"sec-websocket-protocol"))
    raw_path, _, query = whole[1].partition(b"?")
    # A name with an underscore would look like one with a hyphen to a program that reads CGI's names.
    known = [(name, value) for name, value in headers if b"_" not in name]
    return UpgradeRequest(unquote(raw_path.decode()), raw_path, query, known, subprotocols, answer)


def answer_to(headers: RawHeaders) -> bytes:
    """The beginning of the response to an upgrade with these headers."""
    named = dict(headers)
    if len(named) != len(headers) and any(len(values_of(headers, name)) > 1 for name in ONCE):
        raise InvalidUpgrade("expected Host, Upgrade, Sec-WebSocket-Key and Sec-WebSocket-Version once")
    if not HOST.fullmatch(named.get(b"host", b"")):
        raise InvalidUpgrade("expected Host: name:port")
    connection = b",".join(values_of(headers, b"connection")).lower()
    if b"upgrade" not in [token.strip() for token in connection.split(b",")]:
        raise InvalidUpgrade("expected Connection: Upgrade")
    if named.get(b"sec-websocket-version") != b"13":
        raise InvalidUpgrade(
            "expected Sec-WebSocket-Version: 13", status=426, headers=[("Sec-WebSocket-Version", "13")]
        )
    if named.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in named:
        raise InvalidUpgrade("expected a request without a body")
    key = named.get(b"sec-websocket-key", b"")
    if not KEY.fullmatch(key):
        raise InvalidUpgrade("expected Sec-WebSocket-Key: 16 bytes as base64")
    accepted = b64encode(sha1(key + MAGIC, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %s\r\n" % accepted
    )


def completed(answer: bytes, subprotocol: str | None, headers: Headers) -> bytes:
    """The whole response, with what the application chose."""
    chosen = [("Sec-WebSocket-Protocol", subprotocol)] if subprotocol is not None else []
    lines = "".join(f"{name}: {value}\r\n" for name, value in (*headers, *chosen))
    return answer + lines.encode("latin-1") + b"\r\n"


def headers_in(lines: bytes) -> list[tuple[bytes, bytes]]:
    parts = (line.split(b":", 1) for line in lines.split(b"\r\n")[:-1])
    return [(name.lower(), value.strip(b" \t")) for name, value in parts]


def values_of(headers: RawHeaders, name: bytes) -> list[bytes]:
    return [value for other, value in headers if other == name]


def offered_in(values: Sequence[bytes]) -> list[str]:
    """Subprotocols."""
    offered = [name.strip() for value in values for name in value.decode("latin-1").split(",")]
    if not all(name.isascii() for name in offered) or len(set(offered)) != len(offered):
        raise InvalidUpgrade("expected Sec-WebSocket-Protocol with different names in ASCII")
    return offered
