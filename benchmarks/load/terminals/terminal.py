"""A terminal of the load."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol
from uuid import uuid4

from picows import WSFrame, WSMsgType, WSTransport

from benchmarks.load.client import Client
from benchmarks.load.client_protocol import ClientProtocol
from benchmarks.load.terminals.reconnect import Phase, Reconnect


class Tally(Protocol):
    """Is notified of acknowledgements."""

    def acknowledged(self, terminal: "Terminal", intended_at: float, at: float) -> None: ...


class NoTally:
    def acknowledged(self, terminal: "Terminal", intended_at: float, at: float) -> None: ...


NO_TALLY = NoTally()


class Terminal(Client):
    """A terminal's link, as cheap as Python allows: it boots, reports, and counts acknowledgements."""

    tally: Tally = NO_TALLY
    lost: Callable[["Terminal"], None] | None = None
    """Called when the link breaks after the boot was answered."""
    reconnect: Reconnect | None = None
    is_booted = False

    def __init__(self, protocol: ClientProtocol, uid: str = "") -> None:
        self.protocol = protocol
        self.uid = uid
        self.boot_id = uuid4().hex
        self.booted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.reported = 0
        self.waiting: deque[float] = deque()
        """The planned time of each unacknowledged report."""

    @property
    def acknowledged(self) -> int:
        """Reports."""
        return self.reported - len(self.waiting)

    def report(self, intended_at: float, status: str = "ok", number: int = 20, paper: int = 80) -> None:
        """Send a report; if there is no booted link, it waits for the next one.

        Reports are sent in order, because the acknowledgement of one covers all before it.
        """
        self.reported += 1
        self.waiting.append(intended_at)
        if self.is_booted and self.transport is not None:
            self.transport.send(WSMsgType.TEXT, self.protocol.report(self.reported, status, number, paper))

    def _report_again(self) -> None:
        """Send unacknowledged reports over a new link."""
        for seq in range(self.acknowledged + 1, self.reported + 1):
            if self.transport is not None:
                self.transport.send(WSMsgType.TEXT, self.protocol.report(seq, "ok", 20, 80))

    def acknowledge(self, seq: int) -> None:
        """Everything up to `seq` is committed."""
        at = time.monotonic()
        for _ in range(seq - self.acknowledged):
            self.tally.acknowledged(self, self.waiting.popleft(), at)

    # Callbacks of picows

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        if self.booted.done():
            self.booted = asyncio.get_running_loop().create_future()
        if self.reconnect is not None:
            self.reconnect.enter(Phase.BOOT)
        transport.send(WSMsgType.TEXT, self.protocol.boot(self.boot_id))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        payload = frame.get_payload_as_bytes()
        seq = self.protocol.acknowledged(payload)
        if seq is None:
            if answer := self.protocol.answer(payload):
                transport.send(WSMsgType.TEXT, answer)
        elif seq:
            self.acknowledge(seq)
        elif not self.booted.done():
            self.is_booted = True
            self.booted.set_result(None)
            self._report_again()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        super().on_ws_disconnected(transport)
        was_booted, self.is_booted = self.is_booted, False
        if not self.booted.done():
            self.booted.set_exception(ConnectionError("closed before the boot was answered"))
        elif was_booted and self.lost is not None:
            self.lost(self)
