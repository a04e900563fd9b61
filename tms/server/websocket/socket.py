"""A WebSocket, with limits for unread input, unwritten output and silence."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic
from typing import override

from tms.protocol.close_codes import CloseCode
from tms.server.applications import Mailbox
from tms.server.asgi import Message, Scope
from tms.server.network import Shared, abort
from tms.server.websocket import frames, text_frames
from tms.server.websocket.frames import Fragments, Frame, Opcode, Violation
from tms.server.websocket.handshake import Handshake, Phase
from tms.server.websocket.idle_check import PING, Silence
from tms.server.websocket.input import FRAMES_AT_ONCE, BoundedInput, content_of

INTERNAL_ERROR, ABNORMAL = 1011, 1006

LONGEST_REASON = 123
"""Bytes: a control frame carries 125, and the code takes two."""

FINAL_BINARY, FINAL_CLOSE, FINAL_PING, FINAL_PONG = 0x82, 0x88, 0x89, 0x8A
"""First byte of a frame (RFC 6455, 5.2)."""

WRITE_AHEAD = 64 * 1024
"""A sending application waits while more than this is unwritten."""


class WebSocket(Handshake, BoundedInput, Silence):
    """Runs the application between ASGI and the network. Implements `Connection`."""

    task: asyncio.Task[None] | None = None
    unread: bytes | memoryview = b""
    fragments: Fragments | None = None
    """The beginning of a message whose last frame has not arrived."""
    writable: asyncio.Future[None] | None = None
    """Pending while a sender waits for the reader."""
    has_failed = False
    """The input violated the protocol; what follows is not looked at."""
    peers_code: int | None = None
    """The code of the peer's close frame."""

    def __init__(self, shared: Shared, transport: asyncio.Transport) -> None:
        self.shared, self.transport = shared, transport
        shared.sockets[self] = None

    # The application

    @override
    def start(self, scope: Scope) -> None:
        self.application_queue = Mailbox[Message]()
        self.application_queue.put_nowait({"type": "websocket.connect"})
        self.task = self.shared.applications.start(scope, self.receive, self.reply)
        self.task.add_done_callback(self.application_ended)
        flow = self.shared.flow
        self.shared.wheel.watch(self, monotonic() + min(flow.handshake_timeout, flow.ping_interval))

    async def reply(self, message: Message) -> None:
        """The application's send(): returns when the socket's buffer has room again."""
        if self.is_gone:
            return  # as ASGI specifies: no error for a send after a close
        self.handle_reply(message)
        await self.caught_up()

    def handle_reply(self, message: Message) -> None:
        match message["type"]:
            case "websocket.send":
                if self.phase is Phase.CONNECTING:
                    raise ValueError("websocket.send before websocket.accept")
                self.send(content_of(message))
            case "websocket.close":
                self.close(message.get("code") or CloseCode.NORMAL, message.get("reason") or "")
            case "websocket.accept":
                self.reply_accept(message)
            case "websocket.http.response.start":
                self.reply_response_start(message)
            case "websocket.http.response.body":
                self.reply_response_body(message)
            case other:
                raise ValueError(f"a WebSocket application cannot send {other!r}")

    def application_ended(self, task: asyncio.Task[None]) -> None:
        """The application ended, with or without an error; the socket must not outlive it."""
        self.task = None
        self.shared.applications.ended(task)
        if self.is_gone:
            self.shared.emptied.set()
        elif self.phase is Phase.CONNECTING:
            self.deny(500)
        else:
            self.say_goodbye(INTERNAL_ERROR, "")

    # Output

    def send(self, content: str | bytes) -> None:
        if self.phase is not Phase.OPEN:
            return  # as ASGI specifies: no error for a send after a close
        if isinstance(content, str):
            self.write(text_frames.framed(content.encode()))
        else:
            self.write(text_frames.framed(content, FINAL_BINARY))

    @override
    def write(self, data: bytes) -> None:
        """Drops a reader that is too slow, whose output would use the memory of the process."""
        if self.is_over_limit and not self.transport.is_closing():
            self.drop("slow_bytes")
        else:
            super().write(data)

    async def caught_up(self) -> None:
        """Wait until the kernel has accepted everything, if that is much."""
        if self.unwritten <= WRITE_AHEAD:
            return
        self.shared.counters["send_waited"] += 1
        if self.writable is None:
            self.writable = asyncio.get_running_loop().create_future()
        await asyncio.shield(self.writable)  # other senders wait for it too when this one is cancelled

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        waited, self.writable = self.writable, None
        if waited and not waited.done():
            waited.set_result(None)

    @override
    def send_ping(self) -> None:
        self.write(text_frames.framed(PING, FINAL_PING))

    # Input

    @property
    @override
    def is_receiving(self) -> bool:
        return self.phase is Phase.OPEN

    @property
    @override
    def is_gone(self) -> bool:
        return self.phase is Phase.CLOSED

    @override
    def data_received(self, data: bytes) -> None:
        if self.has_failed:
            return  # read, because closing with unread input would reset the connection
        self.received_at = monotonic()
        self.unread = bytes(self.unread) + data if self.unread else data
        if self.phase is Phase.CONNECTING:
            self.pause_reading()  # what follows waits in the network for the answer
        elif not self.waits_for_turn:
            self.frames_left = FRAMES_AT_ONCE
            self.consume()

    @override
    def consume(self) -> None:
        """Handle the frames read so far, through a view: of many frames, each would copy everything that follows."""
        self.unread = memoryview(self.unread)
        while self.unread and not self.reading_paused and self.has_turn() and self.consume_frame():
            pass
        self.unread = bytes(self.unread)

    def consume_frame(self) -> bool:
        """One frame of the read data; False if it is incomplete."""
        is_plain = self.phase is Phase.OPEN and self.fragments is None
        whole = text_frames.unframed(self.unread) if is_plain else None
        if whole is not None:
            self.unread = self.unread[whole.end :]
            self.received(whole.text, size=whole.size)
            return True
        try:
            return self.consume_rare_frame()
        except Violation as violation:
            self.fail(violation)
            return False

    def consume_rare_frame(self) -> bool:
        frame = frames.read(self.unread, most=self.shared.flow.hard_message - self.size_of_fragments)
        if frame is None:
            return False
        self.unread = self.unread[frame.end :]
        if frame.opcode is Opcode.CLOSE:
            self.closed_by_peer(frame.payload)
        elif self.phase is not Phase.OPEN:
            return True  # after our close only its answer matters (RFC 6455, 5.5.1)
        elif frame.opcode is Opcode.PING:
            self.write(text_frames.framed(frame.payload, FINAL_PONG))
        elif frame.opcode is not Opcode.PONG:
            self.take_fragment(frame)
        return True

    @property
    def size_of_fragments(self) -> int:
        return self.fragments.size if self.fragments else 0

    def take_fragment(self, frame: Frame) -> None:
        """A binary message, or a part of any."""
        if (frame.opcode is Opcode.CONTINUATION) != (self.fragments is not None):
            raise Violation(frames.PROTOCOL_ERROR, "a message ends before the next one begins")
        fragments = self.fragments or Fragments(frame.opcode)
        content = fragments.add(frame)
        self.fragments = None if frame.is_final else fragments
        if content is not None:
            self.received(content, size=fragments.size)

    @override
    def stop_reading(self) -> None:
        self.transport.pause_reading()

    @override
    def start_reading(self) -> None:
        self.transport.resume_reading()

    # Opening and closing

    @override
    def opened(self) -> None:
        self.received_at = monotonic()
        if self.unread:
            self.resume_reading()

    @override
    def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        if self.phase is Phase.CONNECTING:
            self.deny(403)
            return
        if code != CloseCode.NORMAL and not 3000 <= code <= 4999:
            raise ValueError(f"close code {code}: an application may send 1000 and 3000 to 4999")
        self.say_goodbye(int(code), reason)
        if self.reading_paused:
            self.resume_reading()  # the peer's answer comes after everything it sent before

    def say_goodbye(self, code: int, reason: str) -> None:
        """Send a close frame, and give the peer some time to answer it. Idempotent."""
        if self.phase is not Phase.OPEN:
            return
        self.phase = Phase.CLOSING
        shortened = reason.encode()[:LONGEST_REASON].decode(errors="ignore").encode()
        self.write(text_frames.framed(code.to_bytes(2) + shortened, FINAL_CLOSE))
        self.deadline = monotonic() + self.shared.flow.close_timeout
        self.shared.wheel.watch(self, self.deadline)

    def closed_by_peer(self, payload: bytes) -> None:
        """Its close frame, which is the answer to ours or gets one."""
        self.peers_code = frames.close_code(payload)
        if self.phase is Phase.OPEN:
            self.phase = Phase.CLOSING
            self.write(text_frames.framed(payload[:2], FINAL_CLOSE))
        self.deadline = None  # it may read the rest slowly, which has a limit of its own
        self.transport.close()

    def fail(self, violation: Violation) -> None:
        """Say why, stop sending, and let the peer read it: closing with unread input would reset the connection."""
        self.has_failed = True
        self.unread = b""
        if self.phase is Phase.OPEN:
            self.shared.counters["too_big"] += violation.code == frames.TOO_BIG
            self.say_goodbye(violation.code, str(violation))
        if not self.transport.is_closing():
            with suppress(OSError):  # the peer is gone, which nothing has told us yet
                self.transport.write_eof()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.phase = Phase.CLOSED
        self.resume_writing()  # senders need not wait any more
        self.shared.acceptor.handshake_ended(self)
        super().connection_lost(exc)
        del self.shared.sockets[self]
        self.shared.emptied.set()
        if self.task is not None:
            self.application_queue.put_nowait({"type": "websocket.disconnect", "code": self.peers_code or ABNORMAL})
            self.shared.applications.end_later(self.task)
        self.scope = self.take = None  # or each closed socket stays until a full garbage collection

    # Time

    def due(self, now: float) -> float | None:
        """Check for silence, before and after that for the end of a handshake; returns when to check again."""
        if self.phase is Phase.OPEN:
            return self.listened(now, self.shared.flow)
        if self.deadline is None or now < self.deadline:
            return self.deadline
        if self.phase is Phase.CONNECTING:
            self.refuse("refused_slow")
        else:
            abort(self.transport)
        return None

    def __repr__(self) -> str:
        return f"<WebSocket of {self.transport.get_extra_info('peername')}>"
