"""Complete text messages in one frame, which is what terminals and boards exchange, RFC 6455, 5.2.

Everything else (fragments, control frames, errors) is left to `frames`.
"""

from typing import NamedTuple

FINAL_TEXT = 0x81
MASKED = 0x80
LENGTH_IN_2 = 126
LENGTH_IN_8 = 127
MAX_BYTES = 0xFFFF


class Whole(NamedTuple):
    """A message, its length in bytes, and where its frame ends."""

    text: str
    size: int
    end: int


def unframed(data: bytes | memoryview) -> Whole | None:
    """The masked message at the start of `data`; None if it is incomplete or not plain text."""
    if len(data) < 6 or data[0] != FINAL_TEXT or not data[1] & MASKED:
        return None
    length, mask_at = data[1] & ~MASKED, 2
    if length == LENGTH_IN_8:
        return None
    if length == LENGTH_IN_2:
        length, mask_at = int.from_bytes(data[2:4]), 4
        if length < LENGTH_IN_2:
            return None
    begin = mask_at + 4
    end = begin + length
    if len(data) < end:
        return None
    try:
        return Whole(unmasked(data[begin:end], data[mask_at:begin]).decode(), length, end)
    except UnicodeDecodeError:
        return None


def unmasked(payload: bytes | memoryview, mask: bytes | memoryview) -> bytes:
    """The payload, unmasked as one number: a loop over the bytes would take a hundred times as long."""
    size = len(payload)
    repeated = (bytes(mask) * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(size)


def framed(payload: bytes, first: int = FINAL_TEXT) -> bytes:
    """`payload` as a server sends it, in a frame that begins with `first`."""
    length = len(payload)
    if length < LENGTH_IN_2:
        return bytes((first, length)) + payload
    if length <= MAX_BYTES:
        return bytes((first, LENGTH_IN_2)) + length.to_bytes(2) + payload
    return bytes((first, LENGTH_IN_8)) + length.to_bytes(8) + payload
