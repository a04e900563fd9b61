"""A WebSocket on uvicorn, with limits for unread input, unwritten output and silence."""

from __future__ import annotations

import asyncio
import logging
from time import monotonic

from tms.protocol.close_codes import CloseCode
from tms.server.base.asgi import Message, Scope
from tms.server.base.interface import SocketPhase
from tms.server.uvicorn import frames
from tms.server.uvicorn.handshake import UvicornHandshake
from tms.server.uvicorn.output import abort
from tms.server.uvicorn.state import UvicornSocketServer
from tms.server.websocket import text_frames
from tms.server.websocket.idle_check import PING, Silence
from tms.server.websocket.input import FRAMES_AT_ONCE, BoundedInput, content_of
from tms.server.websocket.mailbox import Mailbox

log = logging.getLogger(__name__)

INTERNAL_ERROR, ABNORMAL = 1011, 1006

LONGEST_REASON = 123
"""Bytes: a control frame carries 125, and the code takes two."""

FINAL_BINARY, FINAL_PING = 0x82, 0x89

MUCH_AT_ONCE = 64 * 1024
"""Bytes: after reading this many at once, other sockets get their turn."""


class FlowSocket(UvicornHandshake, BoundedInput, Silence):
    """Runs the application between ASGI and the network. Implements `Socket`."""

    server: UvicornSocketServer
    task: asyncio.Task[None] | None = None
    codec: frames.Codec | None = None
    """Present while a frame in progress needs one."""
    unread: bytes | memoryview = b""
    is_lost = False
    deadline: float | None = None
    """Deadline for the application to accept, and later for the peer to answer a close."""

    # The application

    def start(self, scope: Scope) -> None:
        super().start(scope)
        self.deadline = monotonic() + self.server.flow.handshake_timeout
        self.application_queue = Mailbox[Message]()
        self.application_queue.put_nowait({"type": "websocket.connect"})
        self.task = self.server.loop.create_task(self.server.application(scope, self.receive, self.send))
        self.task.add_done_callback(self.application_ended)

    async def send(self, message: Message) -> None:
        """Returns when the socket's buffer has room again."""
        if self.is_lost:
            return  # as ASGI specifies: no error for a send after a close
        self.reply(message)
        await self.caught_up()

    def reply(self, message: Message) -> None:
        match message["type"]:
            case "websocket.send":
                if self.phase is SocketPhase.CONNECTING:
                    raise ValueError("websocket.send before websocket.accept")
                self.send_nowait(content_of(message))
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
        if not task.cancelled() and (error := task.exception()):
            log.error("Exception inside application: %s", error, exc_info=error)
        if self.is_lost:
            self.server.discard(self)
        elif self.phase is SocketPhase.CONNECTING:
            self.deny(500)
        else:
            self.say_goodbye(INTERNAL_ERROR, "")

    # Output

    def send_nowait(self, content: str | bytes) -> None:
        if self.phase is not SocketPhase.OPEN:
            return
        if isinstance(content, str):
            self.write(text_frames.framed(content.encode()))
        else:
            self.write(text_frames.framed(content, FINAL_BINARY))

    def send_ping(self) -> None:
        self.write(text_frames.framed(PING, FINAL_PING))

    # Input

    @property
    def is_receiving(self) -> bool:
        return self.phase is SocketPhase.OPEN

    @property
    def is_gone(self) -> bool:
        return self.is_lost

    def data_received(self, data: bytes) -> None:
        self.received_at = monotonic()
        self.unread = bytes(self.unread) + data if self.unread else data
        if self.phase is SocketPhase.CONNECTING:
            self.pause_reading()  # what follows waits in the network for the answer
            return
        if self.waits_for_turn:
            return
        self.frames_left = FRAMES_AT_ONCE
        self.consume()
        if len(data) >= MUCH_AT_ONCE:  # uvloop would read on in the same turn, up to 8 MiB
            self.wait_for_turn()

    def consume(self) -> None:
        """Through a view: with 256 KiB read at once, hundreds of frames would each copy everything that follows."""
        self.unread = memoryview(self.unread)
        while self.unread and not self.reading_paused and self.has_turn() and self.consume_frame():
            pass
        self.unread = bytes(self.unread)

    def consume_frame(self) -> bool:
        """One frame of the read data; False if it is incomplete."""
        whole = text_frames.unframed(self.unread) if self.codec is None else None
        if whole is not None:
            self.unread = self.unread[whole.end :]
            self.received(whole.text, size=whole.size)
            return True
        extent = frames.extent(self.unread)
        if extent is None:
            return False
        end, size = extent
        if end > len(self.unread) and size <= self.server.flow.hard_message:
            return False
        frame, self.unread = self.unread[:end], self.unread[end:]
        if self.must_read(frame[0], size):
            self.decode(bytes(frame))
        return True

    def must_read(self, first: int, size: int) -> bool:
        """After our close only its answer matters (RFC 6455, 5.5.1), and oversized messages are skipped."""
        is_close = first & frames.OPCODE == frames.CLOSE
        return self.phase is SocketPhase.OPEN or is_close or size > self.server.flow.hard_message

    def decode(self, frame: bytes) -> None:
        if frames.is_pong(frame) or (self.codec and self.codec.has_failed):
            return
        codec = self.codec = self.codec or frames.Codec(self.server.flow.hard_message)
        for content in codec.read(frame):
            self.received(content, size=len(content.encode() if isinstance(content, str) else content))
        self.write(codec.to_send())
        self.after(codec)

    def after(self, codec: frames.Codec) -> None:
        """The effect of a frame on the connection."""
        if codec.is_idle:
            self.codec = None
            codec.end()
        elif codec.has_failed:
            self.server.counters["too_big"] += codec.is_too_big
            self.hang_up()
        elif codec.peers_code is not None:
            self.phase = SocketPhase.CLOSING
            self.transport.close()

    def stop_reading(self) -> None:
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def start_reading(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    # Opening and closing

    def opened(self) -> None:
        super().opened()
        self.deadline = None
        self.received_at = monotonic()
        self.server.wheel.watch(self, self.received_at + self.server.flow.ping_interval)
        if self.unread:
            self.resume_reading()

    def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        if self.phase is SocketPhase.CONNECTING:
            self.deny(403)
            return
        if code != CloseCode.NORMAL and not 3000 <= code <= 4999:
            raise ValueError(f"close code {code}: an application may send 1000 and 3000 to 4999")
        self.say_goodbye(int(code), reason.encode()[:LONGEST_REASON].decode(errors="ignore"))
        if self.reading_paused:
            self.resume_reading()  # the peer's answer comes after everything it sent before

    def say_goodbye(self, code: int, reason: str) -> None:
        if self.phase is not SocketPhase.OPEN:
            return
        self.phase = SocketPhase.CLOSING
        self.codec = self.codec or frames.Codec(self.server.flow.hard_message)
        self.codec.close(code, reason)
        self.write(self.codec.to_send())
        self.await_end()

    def hang_up(self) -> None:
        """Stop sending, and let the peer read the reason: closing with unread input would reset the connection."""
        self.phase = SocketPhase.CLOSING
        self.unread = b""
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()
        self.await_end()

    def await_end(self) -> None:
        self.deadline = monotonic() + self.server.flow.close_timeout
        self.server.wheel.watch(self, self.deadline)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        self.phase = SocketPhase.CLOSED
        self.resume_writing()  # senders need not wait any more
        self.server.acceptor.handshake_ended(self)
        self.server.acceptor.left()
        if self.task is None:
            self.server.discard(self)
        else:
            code = self.codec.peers_code if self.codec else None
            self.application_queue.put_nowait({"type": "websocket.disconnect", "code": code or ABNORMAL})
            self.server.end_later(self.task)
        # Break the cycles, or each closed socket stays until a full garbage collection.
        if self.codec:
            self.codec.end()
        self.scope = self.take = self.codec = None

    # Time

    def due(self, now: float) -> float | None:
        """Check for silence; returns when to check again."""
        if self.phase is SocketPhase.OPEN:
            return self.listened(now, self.server.flow)
        if self.deadline is not None and now < self.deadline:
            return self.deadline
        self.give_up(now)
        return None

    def give_up(self, now: float) -> None:
        """End what should have happened by now."""
        if self.deadline is None or now < self.deadline:
            return
        if self.phase is SocketPhase.CONNECTING:
            self.refuse("refused_slow")
        else:
            abort(self.transport)

    def __repr__(self) -> str:
        return f"<WebSocket of {self.transport.get_extra_info('peername')}>"
