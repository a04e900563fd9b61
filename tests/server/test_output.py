import random
import struct

import pytest

from tests.server.application import text
from tests.support.link.raw_client import RESET, frame, upgrade

GROWTH_KIB = 8 * 1024


def test_a_send_waits_for_a_slow_reader_and_every_byte_arrives(server):
    count, size = 1000, 64_000
    before = server.resident_kib()
    client = server.connect(f"/push?count={count}&size={size}", receive_buffer=65_536)

    waiting = server.counted("send_waited")

    assert waiting["sent"] < count / 2
    assert server.resident_kib() - before < GROWTH_KIB
    for number in range(count):
        assert client.receive() == text(number, size)
    assert server.wait_for(lambda facts: facts["unwritten"] == 0)["sent"] == count


def test_a_reader_with_too_many_unsent_bytes_is_dropped(server):
    before = server.resident_kib()
    client = server.connect("/fan_out?count=3000&size=64000", receive_buffer=65_536)

    server.counted("slow_bytes")

    server.emptied()
    assert server.resident_kib() - before < GROWTH_KIB
    assert client.receive_until_end() == RESET


def test_a_reader_that_accepts_nothing_for_too_long_is_dropped(serve):
    server = serve(max_blocked=0.5)
    client = server.connect("/push?count=200&size=64000", receive_buffer=65_536)

    server.counted("slow_time")

    server.emptied()
    assert client.receive_until_end() == RESET


def test_a_client_that_does_not_read_its_page_is_dropped(serve):
    server = serve(max_blocked=0.5)
    server.dial(b"GET /bytes/8000000 HTTP/1.1\r\nHost: server\r\n\r\n", receive_buffer=65_536)

    server.counted("slow_time")

    server.emptied()


def test_a_long_response_waits_for_its_reader_and_is_not_kept_in_memory(serve):
    server = serve(max_blocked=60)
    client = server.dial(b"GET /stream HTTP/1.1\r\nHost: server\r\n\r\n", receive_buffer=65_536)
    early = server.wait_for(lambda facts: facts["sent"] > 0)["sent"]

    client.read_head()
    body = client.read_body()

    assert early < 50
    assert len(body) == 10_000_000


def test_a_response_that_waits_for_a_reader_who_left_ends(serve):
    server = serve(max_blocked=60)
    client = server.dial(b"GET /stream HTTP/1.1\r\nHost: server\r\n\r\n", receive_buffer=65_536)
    server.wait_for(lambda facts: facts["sent"] > 0)

    client.reset()

    server.emptied()


@pytest.mark.parametrize(
    "request_of",
    [b"Content-Length: 1001\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1_001 + b"\r\n"],
    ids=["declared", "chunked"],
)
def test_a_body_that_is_too_large_is_refused(serve, request_of):
    server = serve(max_body=1_000)
    client = server.dial(b"POST /facts HTTP/1.1\r\nHost: server\r\n" + request_of)

    client.fill()
    assert client.buffer.startswith(b"HTTP/1.1 413 ")
    server.emptied()


def test_a_client_that_closes_without_reading_the_rest_is_dropped(serve):
    server = serve(max_blocked=0.5)
    client = server.connect("/fan_out?count=12&size=64000", receive_buffer=4096)
    server.wait_for(lambda facts: facts["sent"] == 12)

    client.close()

    server.counted("slow_time")
    server.emptied()


def test_a_close_behind_too_many_bytes_drops_the_reader(server):
    client = server.connect("/flood_and_close", receive_buffer=65_536)

    server.counted("slow_bytes")

    assert server.emptied()["ends"] == [1006]
    assert client.receive_until_end() == RESET


def test_an_upgrade_behind_too_many_unread_bytes_is_dropped(server):
    client = server.dial(b"GET /bytes/8000000 HTTP/1.1\r\nHost: server\r\n\r\n", receive_buffer=65_536)
    server.wait_for(lambda facts: facts["sent"] == facts["connections"] == 1)

    client.send_raw(upgrade("/echo"))

    server.counted("slow_bytes")

    server.emptied()


def test_a_slow_but_steady_reader_receives_every_byte(serve):
    server = serve(max_blocked=60)
    count, size, dice = 60, 250_000, random.Random(2)
    client = server.connect(f"/push?count={count}&size={size}", receive_buffer=4096)
    texts = [text(number, size).encode() for number in range(count)]
    expected = b"".join(b"\x81\x7f" + struct.pack("!Q", len(payload)) + payload for payload in texts)

    received = bytearray(client.buffer)
    while len(received) < len(expected):
        received += client.socket.recv(dice.choice((1, 100, 4096, 65_536, 300_000)))

    assert received == expected


def test_readers_that_reset_in_the_middle_leave_nothing_behind(server):
    for _ in range(20):
        server.connect("/push?count=400&size=64000", receive_buffer=65_536).reset()

    server.emptied()
    client = server.connect("/echo")
    client.send("still here")
    assert client.receive() == "still here"


def test_a_sent_message_may_be_larger_than_the_limit_for_received_ones(server):
    client = server.connect("/push?count=1&size=2000000")

    assert client.receive() == text(0, 2_000_000)


def test_a_send_after_the_close_is_no_error(server):
    client = server.connect("/send_late")
    client.close()

    assert server.emptied()["ends"] == [1000]


def test_empty_and_binary_messages_are_echoed(server):
    client = server.connect("/echo")

    for content in ("", b"", b"\x00\xff", "é"):
        client.send_raw(frame(content, 1 if isinstance(content, str) else 2))
        assert client.receive() == content


def test_the_kernel_buffers_little_for_a_reader(serve):
    server = serve(kernel_sndbuf=16_384)

    server.connect()

    assert server.facts()["send_buffers"] == [2 * 16_384], "Linux doubles it for its own needs"
