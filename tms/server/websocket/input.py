"""What a WebSocket has received and its application has not taken yet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from time import monotonic

from tms.protocol.close_codes import CloseCode
from tms.server.base.asgi import Message
from tms.server.base.connection import Take
from tms.server.base.interface import Server
from tms.server.websocket.mailbox import Mailbox

BEHIND = "tms.behind"
"""A message in the queue that is awaited before the next one is given."""

FRAMES_AT_ONCE = 64
"""Frames of one connection in one turn of the event loop: one read of the network may hold ten thousand."""


class BoundedInput:
    """Gives messages to the application as fast as it takes them, and leaves the rest in the network."""

    server: Server
    application_queue: Mailbox[Message]
    take: Take | None = None
    """Takes each message as it is read; None while there is no such one, or it is behind."""
    last_heard: float
    reading_paused = False
    waits_for_turn = False
    frames_left = FRAMES_AT_ONCE
    """In this turn."""

    # What the library is asked for

    @property
    def is_receiving(self) -> bool:
        """False before the accept and after a close."""
        raise NotImplementedError

    @property
    def is_gone(self) -> bool:
        """Nothing can come any more."""
        raise NotImplementedError

    def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        raise NotImplementedError

    def consume(self) -> None:
        """Go on with what was read already, until `reading_paused`."""
        raise NotImplementedError

    def stop_reading(self) -> None:
        raise NotImplementedError

    def start_reading(self) -> None:
        raise NotImplementedError

    # Receiving

    def received(self, content: str | bytes, *, size: int) -> None:
        """A whole message of so many bytes."""
        if not self.is_receiving:
            return
        if size > self.server.flow.soft_message:
            self.server.counters["too_big"] += 1
            self.close(CloseCode.TOO_LARGE, f"message too large; limit {self.server.flow.soft_message} bytes")
            return
        if self.take is not None:
            self.taken(self.take, content)
            return
        kind = "text" if isinstance(content, str) else "bytes"
        self.application_queue.put_nowait({"type": "websocket.receive", kind: content})
        if self.application_queue.qsize() >= self.server.flow.queue_high:
            self.pause_reading()

    def taken(self, take: Take, content: str | bytes) -> None:
        """Where it was read. Who is behind or fails is so in the application's task, and what follows is queued."""
        behind: Awaitable[None] | None
        try:
            behind = take(content)
        except Exception as error:  # noqa: BLE001  (any error ends the application)
            behind = asyncio.get_running_loop().create_future()
            behind.set_exception(error)
        if behind is not None:
            self.take = None
            self.application_queue.put_nowait({"type": BEHIND, BEHIND: asyncio.ensure_future(behind)})

    async def deliver(self, take: Take) -> None:
        while True:
            self.take = None if self.application_queue.qsize() else take
            message = await self.receive()
            self.take = None
            if message["type"] == "websocket.disconnect":
                return
            behind = message[BEHIND] if message["type"] == BEHIND else take(content_of(message))
            if behind is not None:
                await behind

    async def receive(self) -> Message:
        message = await self.application_queue.get()
        if self.reading_paused and self.application_queue.qsize() <= self.server.flow.queue_low:
            self.resume_reading()
        return message

    # Turns

    def has_turn(self) -> bool:
        """Whether one more frame may be read now. The others have their turn before the rest is."""
        if self.frames_left:
            self.frames_left -= 1
            return True
        self.wait_for_turn()
        return False

    def wait_for_turn(self) -> None:
        if not self.waits_for_turn:
            self.waits_for_turn = True
            self.stop_reading()
            asyncio.get_running_loop().call_soon(self.take_next_turn)

    def take_next_turn(self) -> None:
        self.waits_for_turn, self.frames_left = False, FRAMES_AT_ONCE
        if not (self.reading_paused or self.is_gone):
            self.read_on()

    def read_on(self) -> None:
        """What was read already, and then from the network."""
        self.consume()
        if not (self.reading_paused or self.waits_for_turn):
            self.start_reading()

    # Pausing

    def pause_reading(self) -> None:
        self.reading_paused = True
        self.server.counters["input_paused"] += 1
        self.stop_reading()

    def resume_reading(self) -> None:
        self.reading_paused = False
        self.last_heard = monotonic()  # we did not listen until now
        self.read_on()  # may pause again


def content_of(message: Message) -> str | bytes:
    text: str | None = message.get("text")
    return message["bytes"] if text is None else text
