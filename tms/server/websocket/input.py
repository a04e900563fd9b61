"""Messages that a WebSocket has received, but its application has not taken yet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from time import monotonic

from tms.protocol.close_codes import CloseCode
from tms.server.applications import Mailbox
from tms.server.asgi import Message, Take
from tms.server.network import Shared

BEHIND = "tms.behind"
"""A queued message that is awaited before the next one is delivered."""

FRAMES_AT_ONCE = 64
"""Frames of one connection per iteration of the event loop: one network read may contain ten thousand."""


class BoundedInput:
    """Delivers messages as fast as the application takes them, and leaves the rest in the network."""

    shared: Shared
    application_queue: Mailbox[Message]
    take: Take | None = None
    """Receives each message as it is read; None if there is no such callback, or it is behind."""
    received_at: float
    reading_paused = False
    waits_for_turn = False
    frames_left = FRAMES_AT_ONCE
    """Frames that may still be handled in this iteration of the event loop."""

    # Implemented by the socket

    @property
    def is_receiving(self) -> bool:
        """Whether messages are received: not before the accept, nor after a close."""
        raise NotImplementedError

    @property
    def is_gone(self) -> bool:
        """No more input can arrive."""
        raise NotImplementedError

    def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        raise NotImplementedError

    def consume(self) -> None:
        """Continue with what was read already, until `reading_paused`."""
        raise NotImplementedError

    def stop_reading(self) -> None:
        raise NotImplementedError

    def start_reading(self) -> None:
        raise NotImplementedError

    # Receiving

    def received(self, content: str | bytes, *, size: int) -> None:
        """A complete message of this many bytes."""
        if not self.is_receiving:
            return
        if size > self.shared.flow.soft_message:
            self.shared.counters["too_big"] += 1
            self.close(CloseCode.TOO_LARGE, f"message too large; limit {self.shared.flow.soft_message} bytes")
            return
        if self.take is not None:
            self.deliver_at_once(self.take, content)
            return
        kind = "text" if isinstance(content, str) else "bytes"
        self.application_queue.put_nowait({"type": "websocket.receive", kind: content})
        if self.application_queue.qsize() >= self.shared.flow.queue_high:
            self.pause_reading()

    def deliver_at_once(self, take: Take, content: str | bytes) -> None:
        """Delivered where it was read. If the callback is behind or fails, the application's task handles that, and
        further messages are queued.
        """
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
            message = await self.application_queue.get()
            self.take = None
            self.resume_if_caught_up()
            if message["type"] == "websocket.disconnect":
                return
            behind = message[BEHIND] if message["type"] == BEHIND else take(content_of(message))
            if behind is not None:
                await behind
            del message, behind  # the task of a boot would stay as long as the link

    async def receive(self) -> Message:
        message = await self.application_queue.get()
        self.resume_if_caught_up()
        return message

    def resume_if_caught_up(self) -> None:
        if self.reading_paused and self.application_queue.qsize() <= self.shared.flow.queue_low:
            self.resume_reading()

    # Turns

    def has_turn(self) -> bool:
        """Whether one more frame may be read now. Other connections have their turn before the rest."""
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
        """First what was read already, then the network."""
        self.consume()
        if not (self.reading_paused or self.waits_for_turn):
            self.start_reading()

    # Pausing

    def pause_reading(self) -> None:
        self.reading_paused = True
        self.shared.counters["input_paused"] += 1
        self.stop_reading()

    def resume_reading(self) -> None:
        self.reading_paused = False
        self.received_at = monotonic()  # we did not read until now
        self.read_on()  # may pause again


def content_of(message: Message) -> str | bytes:
    text: str | None = message.get("text")
    return message["bytes"] if text is None else text
