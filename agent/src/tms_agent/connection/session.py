"""A booted link: sends what is in the outbox, and processes what TMS sends."""

import asyncio
from collections.abc import Callable

from tms_agent.commands.runner import Commands
from tms_agent.connection.link import AgentLink, Closed, Drained, LinkEnd
from tms_agent.connection.pace import Pace
from tms_agent.log import Log
from tms_agent.management import Management
from tms_agent.protocol import downlink, frames
from tms_agent.protocol.close_codes import CloseCode
from tms_agent.protocol.errors import ErrorType, FrameError
from tms_agent.storage.outbox import Outbox, OutboxFrame
from tms_agent.timeouts import timeout

FINISH_S = 5.0
"""The time for acknowledgements and a clean close; then the link is cut."""


class AgentSession:
    def __init__(
        self,
        link: AgentLink,
        outbox: Outbox,
        pace: Pace,
        commands: Commands,
        management: Management,
        *,
        on_ack: Callable[[frames.AckFrame], None],
        log: Log,
    ) -> None:
        self.outbox = outbox
        self._link = link
        self._pace = pace
        self._commands = commands
        self._management = management
        self._on_ack = on_ack
        self._log = log
        self._awake = asyncio.Event()
        self._drain: frames.DrainFrame | None = None
        self._loop = asyncio.get_running_loop()

    async def run(self) -> LinkEnd:
        """Returns the reason when the link has ended."""
        sender = self._loop.create_task(self._send_until_closed())
        sender.add_done_callback(self._end_if_failed)
        try:
            end = await self._receive_until_closed()
        finally:
            sender.cancel()
            await asyncio.wait([sender])
        if not sender.cancelled():
            sender.result()
        return end

    def wake(self) -> None:
        """The outbox may have something to send."""
        self._awake.set()

    def leave(self, goodbye: frames.GoodbyeFrame) -> None:
        self.outbox.goodbye = goodbye
        self._loop.call_later(FINISH_S, self._link.abort)
        self.wake()

    def _end_if_failed(self, sender: "asyncio.Task[None]") -> None:
        """Nobody waits for the sender: without a link, `run` ends and raises its exception."""
        if not sender.cancelled() and sender.exception():
            self._link.abort()

    async def _send_until_closed(self) -> None:
        try:
            while True:
                frame = self.outbox.next()
                if frame is None:
                    self._awake.clear()
                    await self._awake.wait()
                    continue
                await self._send(frame)
                if frame.is_last:
                    await self._link.close()
        except Closed:
            return

    async def _send(self, frame: OutboxFrame) -> None:
        if frame.is_paced and (wait_s := self._pace.wait_s(at=self._loop.time())):
            await asyncio.sleep(wait_s)
        await self._link.send(frame.text)
        self.outbox.take_sent(frame)

    async def _receive_until_closed(self) -> LinkEnd:
        try:
            async with timeout(None) as deadline:
                while not (self._drain and self.outbox.in_flight == 0):
                    await self._receive()
                    if self._drain and deadline.when() is None:
                        deadline.reschedule(self._loop.time() + FINISH_S)
        except Closed as end:
            return Drained(self._drain) if self._drain else end
        except TimeoutError:
            self._log.warning("not everything was acknowledged within %.0f s; it is sent again later", FINISH_S)
        await self._link.close()
        return Drained(self._drain) if self._drain else Closed(CloseCode.NORMAL)

    async def _receive(self) -> None:
        try:
            frame = await self._link.receive()
        except FrameError as error:
            self._log.warning("TMS sent what is no frame, ignored: %s at %s", error.message, error.where)
            return
        self._take(frame)

    def _take(self, frame: downlink.Downlink) -> None:
        match frame:
            case downlink.AckCall(params):
                self.outbox.take_ack(params)
                self._on_ack(params)
            case downlink.AnsweredCall(params):
                self.outbox.forget_answer(params.id)
            case downlink.CommandCall():
                self._commands.start(frame)
            case downlink.DrainCall(params):
                self._log.info("this node of TMS stops: leaving when what is on the way is acknowledged")
                self._drain = params
                self.outbox.is_draining = True
            case downlink.Refusal():
                self._take_refusal(frame)
            case downlink.Unknown(method=method, id=int() | str() as request_id):
                self._refuse_method(request_id, method)
            case downlink.ConfigCall(id=request_id) | downlink.UpdateCall(id=request_id):
                if not self._management.start(frame):
                    self._refuse_method(request_id, "config" if isinstance(frame, downlink.ConfigCall) else "update")
            case _:
                self._log.debug("ignored %s", frame)
        self.wake()

    def _take_refusal(self, refusal: downlink.Refusal) -> None:
        error = refusal.error
        self._log.warning("TMS refused a frame: %s at %s", error.message, error.where)
        if refusal.id is not None:
            self.outbox.forget_answer(refusal.id)
        elif error.type != ErrorType.PART_REFUSED:  # the report itself is acknowledged
            self.outbox.take_refusal()

    def _refuse_method(self, request_id: frames.RequestId, method: str) -> None:
        self._commands.refuse(request_id, ErrorType.UNKNOWN_METHOD, f"this agent does not know {method}")
