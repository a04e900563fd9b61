"""A terminal that follows the link's protocol like an agent, at a tenth of its cost."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import uuid4

from picows import WSCloseCode, WSError, WSFrame, WSInvalidStatusError, WSListener, WSMsgType, WSTransport, ws_connect

from tms_agent.connection.backoff import Backoff
from tms_agent.connection.dialer import DIAL_TIMEOUT_S
from tms_agent.connection.link import LOST, Closed, Drained, HandshakeRefused, LinkEnd, TimedOut, Unreachable
from tms_agent.protocol import SUBPROTOCOL, downlink, frames, uplink
from tms_agent.protocol.close_codes import CloseCode
from tms_agent.protocol.credential import PlainCredential

STALE_S = 10.0
"""Reports that are sent later than this after they were made are backfill."""


class PendingReport(NamedTuple):
    seq: int
    made_at: datetime
    event: frames.TerminalEvent


class LightTerminal(WSListener):
    """Keeps unacknowledged reports and sends them again after each boot; reconnects like an agent.

    Every report contains a unique event, so that duplicate events are detected, too.
    """

    def __init__(self, url: str, credential: PlainCredential, headers: Mapping[str, str] = {}) -> None:
        self.uid = credential.uid
        self.boot_id = uuid4().hex
        self.made = 0
        self.acked = 0
        self.linked_at = 0.0
        self.losses = 0
        self.waits: list[float] | None = None
        """A list that receives the seconds from each report to its acknowledgement, if there is one."""
        self._url = url
        self._headers = {"Authorization": f"Bearer {credential}", "Sec-WebSocket-Protocol": SUBPROTOCOL, **headers}
        self._pending: deque[PendingReport] = deque()
        self._backoff = Backoff()
        self._transport: WSTransport | None = None
        self._is_booted = False
        self._is_on = True
        self._uptime_s = 0.0
        self._drain: frames.DrainFrame | None = None
        self._ended = asyncio.Event()
        self._may_link = asyncio.Event()
        self._may_link.set()
        self._end: LinkEnd = Unreachable("never connected")
        self._activity = ""
        self._activity_since = 0.0

    @property
    def is_linked(self) -> bool:
        return self._is_booted

    @property
    def activity(self) -> str:
        """Its current activity while it is not linked, for error messages."""
        return f"{self._activity} since {time.monotonic() - self._activity_since:.1f} s"

    @property
    def waiting(self) -> int:
        return len(self._pending)

    def report(self) -> None:
        if not self._is_on:
            return
        self.made += 1
        at = datetime.now(UTC)
        pending = PendingReport(
            self.made, at, frames.TerminalEvent(at, "counted", "info", f"{self.boot_id} {self.made}")
        )
        self._pending.append(pending)
        if self._is_booted:
            self._send(pending)

    async def run(self) -> None:
        while True:
            self._set_activity("is offline")
            await self._may_link.wait()
            end = await self._one_link()
            wait_s = self._backoff.after(end)
            self._set_activity(f"waits {wait_s:.1f} s after {end}")
            await asyncio.sleep(wait_s)

    async def go_offline(self) -> None:
        """Simulate a cut connection, until `come_online`."""
        self._may_link.clear()
        await self.stop()

    def come_online(self) -> None:
        self._backoff.reset()
        self._may_link.set()

    async def switch_off(self, goodbye: frames.GoodbyeReason | None = None) -> None:
        """Make no reports and have no link until `switch_on`; without a goodbye, as if the power were cut.

        Its reports must be acknowledged: unlike an agent it has no spool that survives.
        """
        assert not self._pending
        self._is_on = False
        if goodbye:
            self._send_text(uplink.goodbye(frames.GoodbyeFrame(goodbye)))
        await self.go_offline()

    def switch_on(self, *, uptime_s: float) -> None:
        """Begin a new boot, on a device that has been running for `uptime_s`."""
        self.boot_id, self.made, self.acked = uuid4().hex, 0, 0
        self._is_on, self._uptime_s = True, uptime_s
        self.come_online()

    async def stop(self) -> None:
        """Disconnect without a close frame."""
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    # One link

    def _set_activity(self, what: str) -> None:
        self._activity, self._activity_since = what, time.monotonic()

    async def _one_link(self) -> LinkEnd:
        self._set_activity("dials")
        self._ended.clear()
        self._end, self._drain = Closed(LOST), None
        try:
            async with asyncio.timeout(DIAL_TIMEOUT_S):
                await ws_connect(
                    lambda: self,
                    self._url,
                    extra_headers=self._headers,
                    websocket_handshake_timeout=DIAL_TIMEOUT_S,
                    read_buffer_init_size=2048,
                    enable_auto_ping=True,
                    auto_ping_idle_timeout=20,
                    auto_ping_reply_timeout=20,
                )
        except WSInvalidStatusError as error:
            return _refused(error)
        except TimeoutError:
            await self.stop()  # it may have been accepted at the last moment
            return TimedOut("no response")
        except (WSError, OSError) as error:
            return Unreachable(str(error))
        if (
            self._transport is None and not self._ended.is_set()
        ):  # picows reports neither the begin nor the end of such a link
            return Unreachable("it ended before it was accepted")
        since = time.monotonic()
        await self._ended.wait()
        if time.monotonic() - since >= STALE_S:
            self._backoff.reset()
        return self._end

    def _handle(self, frame: downlink.Downlink) -> None:
        match frame:
            case downlink.BootAnswer(result=booted):
                self._acknowledged(booted.acked_seq)
                self._is_booted, self.linked_at = True, time.monotonic()
                for pending in tuple(self._pending):
                    self._send(pending)
            case downlink.AckCall(params=ack) if ack.boot_id is None:
                self._acknowledged(ack.seq)
                self._leave_when_done()
            case downlink.DrainCall(params=drain):
                self._drain = drain
                self._leave_when_done()

    def _leave_when_done(self) -> None:
        if self._drain and not self._pending and self._transport is not None:
            self._end = Drained(self._drain)
            self._transport.send_close(WSCloseCode.OK)
            self._transport.disconnect()

    def _acknowledged(self, seq: int) -> None:
        self.acked = max(self.acked, seq)
        now = datetime.now(UTC)
        while self._pending and self._pending[0].seq <= seq:
            pending = self._pending.popleft()
            if self.waits is not None:
                self.waits.append((now - pending.made_at).total_seconds())

    def _send(self, pending: PendingReport) -> None:
        late = (datetime.now(UTC) - pending.made_at).total_seconds() > STALE_S
        report = frames.ReportFrame(
            pending.seq,
            pending.made_at,
            status="ok",
            metrics={"temperature_c": round(random.uniform(30, 50), 1)},
            events=(pending.event,),
            late=late,
        )
        self._send_text(uplink.report(report))

    def _send_text(self, text: bytes) -> None:
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT, text)

    # What picows calls

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._set_activity("waits for the answer to its boot")
        boot = frames.BootFrame(boot_id=self.boot_id, uptime_s=self._uptime_s, model="LIGHT", last_seq=self.made)
        self._send_text(uplink.boot(boot, 1))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if transport is not self._transport:
            return
        if frame.msg_type is WSMsgType.TEXT:
            self._handle(downlink.decode(frame.get_payload_as_bytes()))
        elif frame.msg_type is WSMsgType.CLOSE:
            self._end = Drained(self._drain) if self._drain else Closed(_code(frame.get_payload_as_bytes()))
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if transport is not self._transport:
            return  # of an older link, while a newer one is there
        self.losses += self._is_booted
        self._transport, self._is_booted = None, False
        self._ended.set()


def _code(payload: bytes) -> int:
    return int.from_bytes(payload[:2]) if payload else CloseCode.NORMAL


def _refused(error: WSInvalidStatusError) -> LinkEnd:
    answer = error.response
    assert answer is not None
    wait = answer.headers.get("Retry-After", "")
    return HandshakeRefused(int(answer.status), retry_after_s=float(wait) if wait.isdecimal() else None)
