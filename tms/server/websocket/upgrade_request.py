"""The request of a WebSocket as terminals send it, and the answer (RFC 6455, 4.2).

Anything unusual is left to the library of the server, which takes several times as long, and words the error.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha1
from typing import NamedTuple
from urllib.parse import unquote

from tms.server.websocket.denial_headers import Headers

type RawHeaders = Sequence[tuple[bytes, bytes]]
"""Names are in lower case."""

LONGEST = 8 * 1024
HEAD = re.compile(rb'GET (/[!"$-~]*+) HTTP/1\.1\r\n((?:[0-9A-Za-z-]++: [!-~][ -~]*+\r\n)++)\r\n')
KEY = re.compile(rb"[0-9A-Za-z+/]{22}==")
HOST = re.compile(rb"[0-9A-Za-z.-]++(?::[0-9]{1,5})?+")
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

LEFT_TO_THE_LIBRARY = frozenset(
    (b"content-length", b"transfer-encoding", b"expect", b"origin", b"sec-websocket-extensions", b"daphne-root-path")
)
"""Headers of requests with a body, of browsers, and those that daphne or Twisted act upon."""


class UpgradeRequest(NamedTuple):
    """A valid request. `answer` is the beginning of a positive response."""

    path: str
    raw_path: bytes
    query: bytes
    headers: RawHeaders
    subprotocols: Sequence[str]
    answer: bytes


def read(data: bytes) -> UpgradeRequest | None:
    """The request if it is all of `data`; None if it is anything unusual, incomplete or invalid."""
    whole = HEAD.fullmatch(data) if len(data) <= LONGEST else None
    if whole is None:
        return None
    headers = headers_in(whole[2])
    named = dict(headers)
    if not LEFT_TO_THE_LIBRARY.isdisjoint(named):
        return None
    answer, subprotocols = answer_to_plain(headers), offered_in(named.get(b"sec-websocket-protocol", b""))
    if answer is None or len(set(subprotocols)) != len(subprotocols):
        return None
    raw_path, _, query = whole[1].partition(b"?")
    return UpgradeRequest(unquote(raw_path.decode()), raw_path, query, headers, subprotocols, answer)


def answer_to_plain(headers: RawHeaders) -> bytes | None:
    """The beginning of the response to an upgrade with these headers; None if it is invalid or repeats a header."""
    named = dict(headers)
    key = named.get(b"sec-websocket-key", b"")
    is_plain = (
        len(named) == len(headers)
        and named.get(b"upgrade", b"").lower() == b"websocket"
        and named.get(b"sec-websocket-version") == b"13"
        and KEY.fullmatch(key)
        and HOST.fullmatch(named.get(b"host", b""))
        and b"upgrade" in [token.strip() for token in named.get(b"connection", b"").lower().split(b",")]
    )
    if not is_plain:
        return None
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
    parts = (line.split(b": ", 1) for line in lines.split(b"\r\n")[:-1])
    return [(name.lower(), value.rstrip()) for name, value in parts]


def offered_in(value: bytes) -> list[str]:
    return [name.strip() for name in value.decode().split(",")] if value else []
