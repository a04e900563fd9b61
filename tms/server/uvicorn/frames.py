"""Frames that are not a complete text message: RFC 6455, 5.

They are rare on a link, so the object that reads them exists only while one of them is in progress: an idle connection
needs no memory for it.
"""

import logging
from collections.abc import Sequence

from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side
from websockets.typing import LoggerLike

from tms.server.websocket.text_frames import LENGTH_IN_2, LENGTH_IN_8, MASKED

QUIET: LoggerLike = logging.getLogger("tms.server.frames")
"""websockets logs each connection that opens or closes."""
logging.getLogger("tms.server.frames").setLevel(logging.WARNING)

OPCODE, CLOSE = 0x0F, 0x8
"""In the first byte of a frame."""
PONG = b"\x8a"
SHORT = 125


def extent(data: bytes | memoryview) -> tuple[int, int] | None:
    """Of the frame at the start of `data`: its length in bytes, and that of its payload."""
    if len(data) < 2:
        return None
    length, head = data[1] & ~MASKED, 2
    wide = {LENGTH_IN_2: 2, LENGTH_IN_8: 8}.get(length, 0)
    if len(data) < head + wide:
        return None
    if wide:
        length = int.from_bytes(data[head : head + wide])
    head += wide + (4 if data[1] & MASKED else 0)
    return head + length, length


def is_pong(frame: bytes) -> bool:
    """A well-formed one; only its arrival matters."""
    return frame.startswith(PONG) and MASKED <= frame[1] <= MASKED | SHORT


class Codec:
    """Reads frames one by one, and answers control frames."""

    def __init__(self, max_size: int) -> None:
        self.protocol = Protocol(Side.SERVER, max_size=max_size, logger=QUIET)
        self.parts: list[bytes] = []
        self.is_text = False

    @property
    def is_idle(self) -> bool:
        """Whether no message or close is in progress; otherwise another reader could not continue."""
        return self.protocol.current_size is None and self.protocol.close_sent is None and not self.has_failed

    @property
    def has_failed(self) -> bool:
        """The input violated the protocol; the close frame contains the reason."""
        return self.protocol.parser_exc is not None

    @property
    def is_too_big(self) -> bool:
        sent = self.protocol.close_sent
        return self.has_failed and sent is not None and sent.code == 1009

    @property
    def peers_code(self) -> int | None:
        """Of the peer's close frame."""
        return self.protocol.close_rcvd.code if self.protocol.close_rcvd else None

    def read(self, frame: bytes) -> Sequence[str | bytes]:
        """Complete messages that end with this frame."""
        self.protocol.receive_data(frame)
        messages = (self.joined(event) for event in self.protocol.events_received() if isinstance(event, Frame))
        return [message for message in messages if message is not None]

    def joined(self, frame: Frame) -> str | bytes | None:
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return None
        if frame.opcode is not Opcode.CONT:
            self.is_text = frame.opcode is Opcode.TEXT
        if frame.data:  # the number of empty parts has no limit
            self.parts.append(bytes(frame.data))
        if not frame.fin:
            return None
        payload, self.parts = b"".join(self.parts), []
        if not self.is_text:
            return payload
        try:
            return payload.decode()
        except UnicodeDecodeError as error:
            self.protocol.fail(1007, str(error)[: SHORT - 2])
            self.protocol.parser_exc = error
            return None

    def close(self, code: int, reason: str) -> None:
        self.protocol.send_close(code, reason)

    def to_send(self) -> bytes:
        return b"".join(self.protocol.data_to_send())

    def end(self) -> None:
        """Its parser and itself refer to each other."""
        self.protocol.parser.close()
