import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.link.raw_client import CLOSE, PING, PONG, TEXT, Client, Closed, frame, upgrade
from tms.server.websocket.frames import Fragments, Opcode, read

CONTINUATION = 0
GROWTH_KIB = 12 * 1024
FLOOD_BYTES = 40_000_000
READ_BYTES = 256 * 1024
"""The most that one read of the network takes."""


@contextmanager
def sending(client: Client, data: bytes) -> Iterator[None]:
    """Sends while the test reads, or does not."""
    sender = threading.Thread(target=client.send_raw, args=[data])
    sender.start()
    yield
    sender.join()


def test_a_flood_stays_in_the_network_until_the_application_reads_it(server):
    client = server.connect("/hold")
    message = "x" * 2000
    count = FLOOD_BYTES // len(message)
    before = server.resident_kib()

    with sending(client, frame(message) * count):
        paused = server.counted("input_paused")

        assert paused["queued"] == 32
        assert server.resident_kib() - before < GROWTH_KIB
        server.open_gate()
        for _ in range(count):
            assert client.receive() == message

    assert server.facts()["received"] == count
    assert server.resident_kib() - before < GROWTH_KIB


def test_a_flood_before_the_answer_to_the_handshake_stays_in_the_network(server):
    client = server.dial(upgrade("/hang"))
    server.wait_for(lambda facts: facts["handshaking"] == 1)
    before = server.resident_kib()
    client.socket.settimeout(2)

    with pytest.raises(TimeoutError):
        client.send_raw(frame("x" * 2000) * (FLOOD_BYTES // 2000))

    assert server.resident_kib() - before < GROWTH_KIB


def test_a_flood_before_the_answer_to_a_page_stays_in_the_network(server):
    client, asking = server.dial(b"GET /wait HTTP/1.1\r\nHost: server\r\n\r\n"), server.dial()
    before = server.resident_kib()
    client.socket.settimeout(2)

    with pytest.raises(TimeoutError):
        client.send_raw(b"GET /facts HTTP/1.1\r\nHost: server\r\n\r\n" * (FLOOD_BYTES // 40))

    assert server.resident_kib() - before < GROWTH_KIB
    client.reset()
    server.open_gate(asking)


def test_what_is_sent_before_the_answer_is_received_after_it(server):
    client = server.dial(upgrade("/hang"))
    server.wait_for(lambda facts: facts["handshaking"] == 1)
    client.send_raw(frame("x" * 2000) * 20)
    server.counted("input_paused")

    server.open_gate()
    client.read_head()
    client.close()

    assert client.status == 101
    assert server.emptied()["ends"] == [1000]


def test_reading_stops_within_the_data_of_one_read(server):
    client = server.connect("/hold")

    client.send_raw(frame("x") * 1000)

    assert server.counted("input_paused")["queued"] == 32
    server.open_gate()
    assert [client.receive() for _ in range(1000)] == ["x"] * 1000


def test_pausing_loses_and_reorders_nothing(server):
    client = server.connect("/echo")
    dice = random.Random(1)
    texts = [f"{number}:" + "z" * dice.choice((0, 1, 50, 130, 3000)) for number in range(20_000)]

    with sending(client, b"".join(map(frame, texts))):
        for expected in texts:
            assert client.receive() == expected

    assert server.facts()["counters"]["input_paused"] > 0


def test_a_flood_gets_one_read_per_turn_of_the_event_loop(server):
    client = server.connect("/gulp")
    message = "x" * 60_000
    count = FLOOD_BYTES // len(message)

    client.send_raw(frame(message) * count)

    facts = server.wait_for(lambda facts: facts["received"] == count * len(message))
    assert facts["most_at_once"] <= READ_BYTES + len(message)


def test_a_message_of_the_allowed_size_is_received(server):
    client = server.connect("/count")

    client.send("a" * 65_536)

    assert client.receive() == "65536"


def test_a_larger_message_is_closed_with_a_reason(server):
    client = server.connect("/count")

    client.send("a" * 65_537)

    assert client.receive() == Closed(4413, "message too large; limit 65536 bytes")
    client.close(4413)
    assert server.emptied()["counters"]["too_big"] == 1


def test_a_far_larger_message_is_closed_before_it_is_received(server):
    client = server.connect("/count")

    client.send_raw(frame("a" * 3_000_000)[:70_000])

    closed = client.receive()
    assert isinstance(closed, Closed)
    assert closed.code == 1009
    client.vanish()
    assert server.emptied()["counters"]["too_big"] == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(b"\xff", 1), 1007),
        (frame("x", 3), 1002),
        (b"\x81\x01x", 1002),
        (b"\xc1" + frame("x")[1:], 1002),
        (b"\x81\xfe\x00\x01mask" + b"x", 1002),
        (frame("x", 0), 1002),
        (b"\x01" + frame("x")[1:] + frame("x"), 1002),
        (b"\x01" + frame(b"\xc3")[1:] + frame(b"(", 0), 1007),
        (b"\x01" + frame(b"\xff")[1:], 1007),
        (b"\x09" + frame("x")[1:], 1002),
        (frame("x" * 126, PING), 1002),
        (frame(b"\x03", CLOSE), 1002),
        (frame(b"\x03\xed", CLOSE), 1002),
        (frame(b"\x03\xe8\xff", CLOSE), 1007),
    ],
    ids=[
        "not UTF-8",
        "unknown opcode",
        "not masked",
        "reserved bit",
        "a length in too many bytes",
        "nothing to continue",
        "a message within another",
        "not UTF-8 across fragments",
        "not UTF-8 before the last fragment",
        "a control frame in parts",
        "a control frame that is too long",
        "half a close code",
        "a close code that is not sent",
        "a reason that is not UTF-8",
    ],
)
def test_a_frame_that_violates_the_protocol_is_closed_with_its_code(server, data, code):
    client = server.connect("/echo")

    client.send_raw(data)

    closed = client.receive()
    assert isinstance(closed, Closed)
    assert closed.code == code


def test_a_message_in_parts_is_received_whole_with_a_ping_between_them(server):
    client = server.connect("/echo")

    client.send_raw(part("one ", first=True) + frame(b"beat", PING) + part("two ") + part("three", last=True))

    assert client.read_frame() == (PONG, b"beat")
    assert client.receive() == "one two three"
    client.send("and whole")
    assert client.receive() == "and whole"


def test_a_message_in_too_many_fragments_is_closed_with_a_reason(server):
    client = server.connect("/count")

    client.send_raw(part("a" * 40_000, first=True) + part("a" * 40_000, last=True))

    assert client.receive() == Closed(4413, "message too large; limit 65536 bytes")


def test_a_close_between_the_parts_of_a_message_is_answered(server):
    client = server.connect("/echo")

    client.send_raw(part("one ", first=True))
    client.close(4321)

    assert client.receive() == Closed(4321)
    assert server.emptied()["ends"] == [4321]


def test_a_character_may_be_split_between_fragments(server):
    client = server.connect("/echo")

    client.send_raw(b"\x01" + frame(b"\xc3")[1:] + frame(b"\xa9", CONTINUATION))

    assert client.receive() == "é"


@pytest.mark.parametrize("first", [Opcode.TEXT, Opcode.BINARY])
def test_endless_empty_fragments_use_no_memory(first):
    fragments, empty = Fragments(first), read(part(""), most=0)
    assert empty is not None

    for _ in range(1000):
        fragments.add(empty)

    assert fragments.parts == fragments.texts == []


def test_endless_pings_are_answered_one_by_one(server):
    client = server.connect("/echo")

    with sending(client, frame(b"beat", PING) * 2000):
        for _ in range(2000):
            assert client.read_frame() == (PONG, b"beat")


def part(text: str, *, first: bool = False, last: bool = False) -> bytes:
    """A fragment (RFC 6455, 5.4)."""
    whole = frame(text, TEXT if first else CONTINUATION)
    return bytes([whole[0] & 0x7F | (0x80 if last else 0)]) + whole[1:]
