import pytest
from hypothesis import given
from hypothesis import strategies as st

from tms.server.websocket import text_frames


def masked(payload: bytes, mask: bytes) -> bytes:
    """A text message as a client frames it."""
    length = bytes((0x80 | len(payload),)) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2)
    return b"\x81" + length + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


@given(st.text(max_size=400), st.binary(min_size=4, max_size=4), st.binary(max_size=10))
def test_a_complete_message_is_read_and_the_rest_remains(message: str, mask: bytes, rest: bytes):
    frame = masked(message.encode(), mask)

    assert text_frames.unframed(frame + rest) == (message, len(message.encode()), len(frame))


@given(st.text(max_size=200), st.data())
def test_an_incomplete_message_remains(message: str, data: st.DataObject):
    frame = masked(message.encode(), b"mask")

    assert text_frames.unframed(frame[: data.draw(st.integers(0, len(frame) - 1))]) is None


@pytest.mark.parametrize(
    "frame",
    [
        b"\x01" + masked(b"first part", b"mask")[1:],
        b"\x82" + masked(b"binary", b"mask")[1:],
        b"\x89" + masked(b"ping", b"mask")[1:],
        b"\xc1" + masked(b"compressed", b"mask")[1:],
        b"\x81\x05plain",
        b"\x81\xfe\x00\x05mask" + b"short",
        b"\x81\xff" + (70_000).to_bytes(8) + b"mask" + b"x" * 70_000,
        masked(b"\xff\xfe", b"mask"),
    ],
    ids=["fragment", "binary", "control", "extension", "unmasked", "not minimal", "long", "not UTF-8"],
)
def test_everything_but_plain_messages_is_left_to_others(frame: bytes):
    assert text_frames.unframed(frame) is None


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f" + (65_536).to_bytes(8)),
    ],
)
def test_a_server_frames_with_the_shortest_length(size: int, head: bytes):
    assert text_frames.framed(b"x" * size) == head + b"x" * size
