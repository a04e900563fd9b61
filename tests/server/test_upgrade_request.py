"""Requests for WebSockets: which are valid, and which are requests of pages."""

import pytest

from tms.server.websocket import upgrade_request
from tms.server.websocket.upgrade_request import read

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
UNUSUAL = {
    "an origin": {"Origin": "https://tms.example"},
    "an extension": {"Sec-WebSocket-Extensions": "permessage-deflate"},
    "an empty value": {"X-Empty": ""},
    "a tab": {"X-Tab": "a\tb"},
    "a repeated header": {"X-Twice": "a\r\nX-Twice: b"},
    "a name with an underscore": {"x_forwarded_for": "192.0.2.1"},
    "no subprotocol": {"Sec-WebSocket-Protocol": None},
    "an address of version 6": {"Host": "[2001:db8::1]:8000"},
    "no body": {"Content-Length": "0"},
    "other cases": {"Upgrade": "WebSocket", "Connection": "upgrade"},
    "a long header": {"X-Long": "a" * 8_192},
}
INVALID: dict[str, tuple[dict[str, str | None], int]] = {
    "HTTP/1.0": ({"version": "HTTP/1.0"}, 400),
    "a fragment": ({"path": "/echo#1"}, 400),
    "no path": ({"path": "echo"}, 400),
    "a path beyond ASCII": ({"path": "/\xe9"}, 400),
    "no Host": ({"Host": None}, 400),
    "two Hosts": ({"Host": "a\r\nHost: b"}, 400),
    "a Host without a valid port": ({"Host": "tms.example:http"}, 400),
    "a connection that stays": ({"Connection": "keep-alive"}, 400),
    "another version": ({"Sec-WebSocket-Version": "8"}, 426),
    "no version": ({"Sec-WebSocket-Version": None}, 426),
    "no key": ({"Sec-WebSocket-Key": None}, 400),
    "a short key": ({"Sec-WebSocket-Key": "AAAA"}, 400),
    "two keys": ({"Sec-WebSocket-Key": f"{KEY}\r\nSec-WebSocket-Key: {KEY}"}, 400),
    "a repeated subprotocol": ({"Sec-WebSocket-Protocol": "a, a"}, 400),
    "a subprotocol beyond ASCII": ({"Sec-WebSocket-Protocol": "\xe9"}, 400),
    "a body": ({"Content-Length": "1"}, 400),
    "a chunked body": ({"Transfer-Encoding": "chunked"}, 400),
    "a folded header": ({"X-Folded": "a\r\n b"}, 400),
    "a header without a colon": ({"X-Bad": "a\r\nbad"}, 400),
    "a bare line feed": ({"X-Bare": "a\nX-Other: b"}, 400),
    "too many headers": ({"X-Long": "a" * 16_384}, 431),
}
PAGES: dict[str, dict[str, str | None]] = {
    "another method": {"method": "POST"},
    "another protocol": {"Upgrade": "h2c"},
    "several protocols": {"Upgrade": "h2c, websocket"},
    "no protocol": {"Upgrade": None},
}


def head(*, method: str = "GET", path: str = "/echo", version: str = "HTTP/1.1", **changed: str | None) -> bytes:
    lines = [f"{name}: {value}" for name, value in (PLAIN | changed).items() if value is not None]
    return "\r\n".join([f"{method} {path} {version}", *lines, "", ""]).encode("latin-1")


def test_a_request_is_read():
    request = read(head(path="/a%20b?c=%20d", Authorization="Bearer x  "))

    assert (request.path, request.raw_path, request.query) == ("/a b", b"/a%20b", b"c=%20d")
    assert request.subprotocols == ["a", "b"]
    assert request.headers[0] == (b"host", b"tms.example:8000")
    assert request.headers[-1] == (b"authorization", b"Bearer x")
    assert request.answer.endswith(f"Sec-WebSocket-Accept: {ACCEPTED}\r\n".encode())


def test_subprotocols_may_be_in_several_headers_or_in_none():
    assert read(head(**{"Sec-WebSocket-Protocol": "a\r\nSec-WebSocket-Protocol: b, c"})).subprotocols == ["a", "b", "c"]
    assert read(head(**{"Sec-WebSocket-Protocol": None})).subprotocols == []


@pytest.mark.parametrize("changed", UNUSUAL.values(), ids=UNUSUAL)
def test_an_unusual_request_is_read(changed):
    assert read(head(**changed)).answer == read(head()).answer


def test_a_header_with_an_underscore_does_not_reach_the_application():
    assert read(head(x_forwarded_for="192.0.2.1")).headers == read(head()).headers


@pytest.mark.parametrize(("changed", "status"), INVALID.values(), ids=INVALID)
def test_an_invalid_request_is_refused(changed, status):
    with pytest.raises(upgrade_request.InvalidUpgrade, match="expected") as refused:
        read(head(**changed))

    assert refused.value.status == status


@pytest.mark.parametrize("changed", PAGES.values(), ids=PAGES)
def test_what_is_no_upgrade_is_a_page(changed):
    assert upgrade_request.head_in(head(**changed)) is None


def test_what_follows_a_head_is_not_part_of_it():
    assert upgrade_request.head_in(head() + b"\x81") == head()


@pytest.mark.parametrize("end", range(len(head())))
def test_a_part_of_a_head_may_continue(end):
    assert upgrade_request.may_continue(head()[:end])


@pytest.mark.parametrize("data", [head(), b"POST ", b"\x16\x03\x01", b"GET /" + b"a" * 16_384])
def test_anything_else_does_not_wait(data):
    assert not upgrade_request.may_continue(data)


@pytest.mark.parametrize(
    "changed",
    [{}, {"path": "/echo?subprotocol=b"}, {"path": "/deny?status=401"}, {"path": "/reject"}, *UNUSUAL.values()]
    + [changed for changed, _ in INVALID.values()],
)
def test_the_answer_does_not_depend_on_the_parts_of_a_request(server, changed):
    whole, parts = server.dial(head(**changed)), server.dial(head(**changed)[:20])
    server.wait_until_read(parts)
    parts.send_raw(head(**changed)[20:])
    whole.read_head()
    parts.read_head()

    assert (whole.status, known(whole.headers)) == (parts.status, known(parts.headers))


def test_the_answer_to_an_invalid_request_names_what_was_expected(server):
    client = server.dial(head(**{"Sec-WebSocket-Version": "8"}))

    client.read_head()

    assert (client.status, client.headers["sec-websocket-version"]) == (426, "13")
    assert client.read_body() == b"expected Sec-WebSocket-Version: 13\n"


@pytest.mark.parametrize("changed", PAGES.values(), ids=PAGES)
def test_a_request_of_a_page_reaches_the_application(server, changed):
    client = server.dial(head(**({"path": "/facts"} | changed)))

    client.read_head()

    assert client.status == 200
    client.read_body()


def test_an_upgrade_may_follow_a_page_on_its_connection(server):
    """A proxy that keeps connections sends requests so."""
    client = server.dial()
    for _ in range(2):
        server.facts(client)

    client.send_raw(head())
    client.read_head()

    assert client.status == 101
    client.send("x")
    assert client.receive() == "x"


def test_an_upgrade_waits_for_the_answer_to_a_page(server):
    client, asking = server.dial(b"GET /wait HTTP/1.1\r\nHost: server\r\n\r\n"), server.dial()
    server.wait_for(lambda facts: facts["connections"] == 2)
    client.send_raw(head())

    server.open_gate(asking)
    client.read_head()
    client.read_body()
    client.read_head()

    assert client.status == 101


def test_an_upgrade_in_one_piece_with_a_page_is_answered_as_a_page(server):
    client = server.dial(b"GET /facts HTTP/1.1\r\nHost: server\r\n\r\n" + head(path="/facts"))

    for _ in range(2):
        client.read_head()
        client.read_body()
        assert client.status == 200


def known(headers: dict[str, str]) -> dict[str, str]:
    """The headers of the answer, without its time."""
    return {name: value.lower() for name, value in headers.items() if name != "date"}


def test_a_request_after_the_first_one_waits_for_its_answer(server):
    client = server.dial(head(path="/hang"))
    server.wait_for(lambda facts: facts["handshaking"] == 1)
    client.send_raw(head())
    server.counted("input_paused")

    assert server.wait_for(lambda facts: facts["handshaking"] == 1)
    server.open_gate()
    client.reset()
    server.emptied()
