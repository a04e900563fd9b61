"""An open WebSocket, with limits for unread input, unwritten output and silence."""

from __future__ import annotations

from time import monotonic
from typing import Any, Self

from tms.protocol.close_codes import CloseCode
from tms.server.base.asgi import Message, Scope
from tms.server.base.interface import SocketPhase, SocketServer
from tms.server.daphne.open_state import INITIAL, OpenState
from tms.server.websocket import text_frames
from tms.server.websocket.idle_check import PING, Silence
from tms.server.websocket.input import FRAMES_AT_ONCE, BoundedInput, content_of

PHASES = {
    OpenState.STATE_CONNECTING: SocketPhase.CONNECTING,
    OpenState.STATE_OPEN: SocketPhase.OPEN,
    OpenState.STATE_CLOSING: SocketPhase.CLOSING,
    OpenState.STATE_CLOSED: SocketPhase.CLOSED,
}

FINAL_BINARY = 0x82
"""First byte of a frame (RFC 6455, 5.2)."""

INTERNAL_ERROR = 1011


class FlowProtocol(OpenState, BoundedInput, Silence):
    """Replaces daphne's unbounded queues in both directions, and its timers. Implements `Socket`."""

    server: SocketServer
    """Missing if the handshake was malformed or there was no room for it."""
    scope: Scope | None = None
    data: bytes
    message_data: list[bytes] | None

    @classmethod
    def configured(cls, factory: Any) -> type[Self]:
        """The factory's options and the initial state are class attributes: autobahn copies them all into each
        connection (4 KiB), and formats them for a disabled log (a fifth of a handshake).
        """
        options = {name: getattr(factory, name) for name in cls.CONFIG_ATTRS}
        unbound = {name: staticmethod(option) if callable(option) else option for name, option in options.items()}
        return type(cls.__name__, (cls,), INITIAL | unbound | {"CONFIG_ATTRS": (), "factory": factory})

    @property
    def phase(self) -> SocketPhase:
        return PHASES.get(self.state, SocketPhase.CONNECTING)  # one more, for a proxy in between

    # From the application

    def handle_reply(self, message: Message) -> None:
        match message["type"]:
            case "websocket.send":
                self.reply_send(message)
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

    def reply_send(self, message: Message) -> None:
        if self.state == self.STATE_CONNECTING:
            raise ValueError("websocket.send before websocket.accept")
        self.send(content_of(message))

    def application_ended(self) -> None:
        """The application ended, with or without an error; the socket must not outlive it."""
        if self.state == self.STATE_CONNECTING:
            self.deny(500)
        else:
            self.sendCloseFrame(code=INTERNAL_ERROR)  # no effect if it was closed

    # Output

    def send(self, content: str | bytes) -> None:
        if self.state != self.STATE_OPEN:
            return  # as ASGI specifies: no error for a send after a close
        # Not sendMessage: autobahn applies the limit of input to output there.
        if isinstance(content, str):
            self.sendData(text_frames.framed(content.encode()))
        else:
            self.sendData(text_frames.framed(content, FINAL_BINARY))

    def sendCloseFrame(self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False) -> None:
        super().sendCloseFrame(code=code, reasonUtf8=reasonUtf8, isReply=isReply)
        if self.failedByMe:  # no frame is read any more, so its answer is the end of the connection
            self.transport.loseWriteConnection()

    def dropConnection(self, abort: bool = False) -> None:
        """After a bad frame close only our half: autobahn rejects some frames twice, at the first byte and at the end,
        and closing with unread input would reset the connection, which may overtake the code.
        """
        if self.failedByMe and not abort:
            self.transport.loseWriteConnection()
        else:
            super().dropConnection(abort=abort)

    # Input

    def dataReceived(self, data: bytes) -> None:
        """Autobahn's own, without the texts that it formats for a disabled log (1.8 us each)."""
        if self.failedByMe:
            return  # read, because closing with unread input would reset the connection
        self.received_at = monotonic()
        self.data += data
        if self.is_deciding:
            self.pause_reading()  # what follows waits in the network for the answer
        elif not self.waits_for_turn:
            self.frames_left = FRAMES_AT_ONCE
            self.consumeData()

    def processData(self) -> bool:
        """One frame of the read data. One read may contain 10,000 frames, so pausing the socket alone is late."""
        if self.reading_paused or self.failedByMe or (self.data and not self.has_turn()):
            return False
        between = self.state == self.STATE_OPEN and self.current_frame is None and not self.inside_message
        whole = text_frames.unframed(self.data) if between else None
        if whole is None:
            return bool(super().processData())
        self.data = self.data[whole.end :]
        self.received(whole.text, size=whole.size)
        return bool(self.data)

    def onMessageFrame(self, payload: list[bytes]) -> None:
        """Empty parts are not stored, because their number has no limit."""
        super().onMessageFrame([part for part in payload if part])

    def onMessageEnd(self) -> None:
        """Autobahn's own, without the Deferred for listeners, of which there are none."""
        if not self.failedByMe:
            self.onMessage(b"".join(self.message_data or ()), self.message_is_binary)
        self.message_data = None

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.received(payload if isBinary else payload.decode(), size=len(payload))

    @property
    def is_deciding(self) -> bool:
        """The application has not accepted yet. Autobahn would read what follows as another request."""
        return bool(self.state == self.STATE_CONNECTING and hasattr(self, "application_queue"))

    @property
    def is_receiving(self) -> bool:
        return bool(self.state == self.STATE_OPEN)

    @property
    def is_gone(self) -> bool:
        return bool(self.state == self.STATE_CLOSED)

    def consume(self) -> None:
        self.consumeData()

    def stop_reading(self) -> None:
        self.transport.pauseProducing()

    def start_reading(self) -> None:
        self.transport.resumeProducing()

    # Opening and closing

    def onOpen(self) -> None:
        self.handshake_ended()
        self.release_handshake()
        if self.reading_paused:
            self.resume_reading()

    def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        if self.state == self.STATE_CONNECTING:
            self.deny(403)
            return
        if code != CloseCode.NORMAL and not 3000 <= code <= 4999:
            raise ValueError(f"close code {code}: an application may send 1000 and 3000 to 4999")
        self.sendClose(int(code), reason or None)  # no effect if it is closed
        if self.reading_paused:
            self.resume_reading()  # the peer's answer comes after everything it sent before

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """The connection has ended."""
        self.handshake_ended()
        self.resumeProducing()
        if hasattr(self, "server"):
            if self.wasMaxFramePayloadSizeExceeded or self.wasMaxMessagePayloadSizeExceeded:
                self.server.counters["too_big"] += 1
            self.application_disconnected(code)
        # Break the cycles, or each closed socket stays until a full garbage collection.
        self.scope = self.is_closed = self.is_open = self.take = None

    def application_disconnected(self, code: int | None) -> None:
        """daphne's onClose, without its log, which needs the request."""
        self.factory.server_class.protocol_disconnected(self)
        if hasattr(self, "application_queue"):
            self.application_queue.put_nowait({"type": "websocket.disconnect", "code": code})

    # Time

    def due(self, now: float) -> float | None:
        """Check for silence, before that for the end of the handshake; returns when to check again."""
        if self.state == self.STATE_OPEN:
            return self.listened(now, self.server.flow)
        if self.state == self.STATE_CONNECTING:
            if now < self.deadline:
                return self.deadline
            self.refuse("refused_slow")
        return None

    def send_ping(self) -> None:
        self.sendPing(PING)

    def __repr__(self) -> str:
        return f"<WebSocket of {getattr(self.transport, 'client', None)}>"
