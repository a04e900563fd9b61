"""A plain upgrade is answered without the library of the server: with the same result."""

import pytest

from tests.server.process import ServerProcess
from tms.server.websocket import upgrade_request

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPTED = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""The example of RFC 6455, 1.3."""
PLAIN = {
    "Host": "tms.example:8000",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Protocol": "a, b",
}
LEFT_TO_THE_LIBRARY = {
    "another method": {"method": "POST"},
    "HTTP/1.0": {"version": "HTTP/1.0"},
    "a fragment": {"path": "/echo#1"},
    "no path": {"path": "echo"},
    "a path beyond ASCII": {"path": "/\xe9"},
    "no Host": {"Host": None},
    "a Host without a valid port": {"Host": "tms.example:http"},
    "another protocol": {"Upgrade": "h2c"},
    "several protocols": {"Upgrade": "h2c, websocket"},
    "a connection that stays": {"Connection": "keep-alive"},
    "another version": {"Sec-WebSocket-Version": "8"},
    "no version": {"Sec-WebSocket-Version": None},
    "no key": {"Sec-WebSocket-Key": None},
    "a short key": {"Sec-WebSocket-Key": "AAAA"},
    "a repeated subprotocol": {"Sec-WebSocket-Protocol": "a, a"},
    "a subprotocol beyond ASCII": {"Sec-WebSocket-Protocol": "\xe9"},
    "a body": {"Content-Length": "0"},
    "a chunked body": {"Transfer-Encoding": "chunked"},
    "an expectation": {"Expect": "100-continue"},
    "a name with an underscore": {"x_forwarded_for": "192.0.2.1"},
    "an extension": {"Sec-WebSocket-Extensions": "permessage-deflate"},
    "an origin": {"Origin": "https://tms.example"},
    "an empty value": {"X-Empty": ""},
    "a tab": {"X-Tab": "a\tb"},
    "a repeated header": {"X-Twice": "a\r\nX-Twice: b"},
    "a folded header": {"X-Folded": "a\r\n b"},
    "a header without a colon": {"X-Bad": "a\r\nbad"},
    "a bare line feed": {"X-Bare": "a\nX-Other: b"},
    "a long header": {"X-Long": "a" * 8_192},
}


def head(*, method: str = "GET", path: str = "/echo", version: str = "HTTP/1.1", **changed: str | None) -> bytes:
    lines = [f"{name}: {value}" for name, value in (PLAIN | changed).items() if value is not None]
    return "\r\n".join([f"{method} {path} {version}", *lines, "", ""]).encode("latin-1")


def test_a_plain_request_is_read():
    request = upgrade_request.read(head(path="/a%20b?c=%20d", Authorization="Bearer x  "))

    assert request is not None
    assert (request.path, request.raw_path, request.query) == ("/a b", b"/a%20b", b"c=%20d")
    assert request.subprotocols == ["a", "b"]
    assert request.headers[0] == (b"host", b"tms.example:8000")
    assert request.headers[-1] == (b"authorization", b"Bearer x")
    assert request.answer.endswith(f"Sec-WebSocket-Accept: {ACCEPTED}\r\n".encode())


def test_without_offered_subprotocols_there_are_none():
    request = upgrade_request.read(head(**{"Sec-WebSocket-Protocol": None}))

    assert request is not None
    assert request.subprotocols == []


@pytest.mark.parametrize("changed", LEFT_TO_THE_LIBRARY.values(), ids=LEFT_TO_THE_LIBRARY)
def test_anything_unusual_is_left_to_the_library(changed):
    assert upgrade_request.read(head(**changed)) is None


@pytest.mark.parametrize("end", range(0, len(head()), 7))
def test_an_incomplete_request_is_left_to_the_library(end):
    assert upgrade_request.read(head()[:end]) is None


def test_a_request_with_something_after_it_is_left_to_the_library():
    assert upgrade_request.read(head() + b"\x81") is None


@pytest.mark.parametrize(
    "changed",
    [{}, {"path": "/echo?subprotocol=b"}, {"path": "/deny?status=401"}, {"path": "/reject"}, {"path": "/ech%6F"}],
)
def test_the_library_gives_the_same_answer(server, changed):
    whole, parts = server.dial(head(**changed)), server.dial(head(**changed)[:20])
    server.wait_until_read(parts)
    parts.send_raw(head(**changed)[20:])
    whole.read_head()
    parts.read_head()

    assert (whole.status, known(whole.headers)) == (parts.status, known(parts.headers))


@pytest.mark.parametrize(
    "changed", [each for name, each in LEFT_TO_THE_LIBRARY.items() if name not in ("a body", "an expectation")]
)
def test_the_answer_to_an_unusual_request_does_not_depend_on_its_parts(server: ServerProcess, changed):
    """And the server serves others."""
    server.may_fail = True  # the application does not know some of the paths
    assert status(server, head(**changed), 0) == status(server, head(**changed), 20)
    assert status(server, head(), 0) == 101


def status(server: ServerProcess, request: bytes, first: int) -> int | str:
    """Of the answer, sending `first` bytes earlier than the others."""
    client = server.dial(request[:first] or request)
    if first:
        server.wait_until_read(client)
        client.send_raw(request[first:])
    try:
        client.socket.settimeout(1)
        client.read_head()
    except (EOFError, OSError) as error:
        return type(error).__name__
    finally:
        client.reset()
    return client.status


def known(headers: dict[str, str]) -> dict[str, str]:
    """Of the answer, without those that only the library writes."""
    return {name: value.lower() for name, value in headers.items() if name not in ("date", "server")}


def test_a_request_after_the_first_one_waits_for_its_answer(server):
    client = server.dial(head(path="/hang"))
    server.wait_for(lambda facts: facts["handshaking"] == 1)
    client.send_raw(head())
    server.counted("input_paused")

    assert server.wait_for(lambda facts: facts["handshaking"] == 1)
    server.open_gate()
    client.reset()
    server.emptied()
