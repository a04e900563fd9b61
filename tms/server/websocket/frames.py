"""Frames that are not a complete text message: RFC 6455, 5. They are rare on a link."""

from __future__ import annotations

from codecs import getincrementaldecoder
from enum import IntEnum
from typing import NamedTuple

from tms.server.websocket.text_frames import LENGTH_IN_2, LENGTH_IN_8, MASKED, MAX_BYTES, unmasked

FINAL, RESERVED, OPCODE, CONTROL = 0x80, 0x70, 0x0F, 0x08
"""Masks of the parts of a frame's first byte."""
LONGEST_CONTROL = 125
NO_CODE, PROTOCOL_ERROR, INVALID_DATA, TOO_BIG = 1005, 1002, 1007, 1009


class Opcode(IntEnum):
    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


OPCODES = frozenset(Opcode)


class Violation(Exception):
    """The input is closed with this code; the message is the reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Frame(NamedTuple):
    opcode: Opcode
    is_final: bool
    masked: bytes | memoryview
    mask: bytes | memoryview
    end: int
    """Where the next frame begins."""

    @property
    def payload(self) -> bytes:
        """Computed on demand: what arrives after our close is not looked at."""
        return unmasked(self.masked, self.mask)


def read(data: bytes | memoryview, *, most: int) -> Frame | None:
    """The frame at the start of `data`; None if it is incomplete.

    Raises Violation as soon as the head of the frame shows it, which includes more than `most` bytes of a message.
    """
    if len(data) < 2:
        return None
    opcode = opcode_in(data[0], data[1])
    length, mask_at = length_in(data)
    if not opcode & CONTROL and length > most:
        raise Violation(TOO_BIG, "message too large")
    begin = mask_at + 4
    end = begin + length
    if mask_at == 0 or len(data) < end:
        return None
    return Frame(opcode, bool(data[0] & FINAL), data[begin:end], data[mask_at:begin], end)


def opcode_in(first: int, second: int) -> Opcode:
    if first & RESERVED or first & OPCODE not in OPCODES:
        raise Violation(PROTOCOL_ERROR, "unknown frame; no extension was negotiated")
    if not second & MASKED:
        raise Violation(PROTOCOL_ERROR, "a client's frame must be masked")
    opcode = Opcode(first & OPCODE)
    if opcode & CONTROL and not (first & FINAL and second & ~MASKED <= LONGEST_CONTROL):
        raise Violation(PROTOCOL_ERROR, "a control frame must be complete, with at most 125 bytes")
    return opcode


def length_in(data: bytes | memoryview) -> tuple[int, int]:
    """The length of the payload, and where the mask begins; 0 and 0 if they have not arrived."""
    length = data[1] & ~MASKED
    if length < LENGTH_IN_2:
        return length, 2
    mask_at, shorter = (10, MAX_BYTES) if length == LENGTH_IN_8 else (4, LONGEST_CONTROL)
    if len(data) < mask_at:
        return 0, 0
    length = int.from_bytes(data[2:mask_at])
    if length <= shorter:
        raise Violation(PROTOCOL_ERROR, "a length must be as short as possible")
    return length, mask_at


class Fragments:
    """A message of which the last frame has not arrived."""

    def __init__(self, first: Opcode) -> None:
        self.size = 0
        self.parts: list[bytes] = []
        self.texts: list[str] = []
        self.decoder = getincrementaldecoder("utf-8")() if first is Opcode.TEXT else None

    def add(self, frame: Frame) -> str | bytes | None:
        """The whole message if this was its last frame. Raises Violation at the first byte that is not UTF-8."""
        payload = frame.payload
        self.size += len(payload)
        if self.decoder is None:
            self.parts += filter(None, [payload])  # the number of empty parts has no limit
            return b"".join(self.parts) if frame.is_final else None
        try:
            self.texts += filter(None, [self.decoder.decode(payload, frame.is_final)])
        except UnicodeDecodeError:
            raise Violation(INVALID_DATA, "a text must be UTF-8") from None
        return "".join(self.texts) if frame.is_final else None


def close_code(payload: bytes) -> int:
    """The code in a close frame. Raises Violation if it is invalid (RFC 6455, 7.4)."""
    if not payload:
        return NO_CODE
    code = int.from_bytes(payload[:2])
    if len(payload) < 2 or not is_sendable(code):
        raise Violation(PROTOCOL_ERROR, "invalid close code")
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        raise Violation(INVALID_DATA, "a reason must be UTF-8") from None
    return code


def is_sendable(code: int) -> bool:
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999
