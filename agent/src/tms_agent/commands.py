"""Runs the commands that TMS sends, each until its deadline."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from tms_agent.device.source import CommandError, CommandOutcome, DeviceSource, FileToSend
from tms_agent.log import Log
from tms_agent.protocol import downlink, frames, limits, uplink
from tms_agent.protocol.errors import ErrorType, rpc_error
from tms_agent.timeouts import timeout

AT_ONCE = 4


class Commands:
    """An answer outlives the link of its command: it is sent on the next one."""

    def __init__(
        self,
        source: DeviceSource,
        *,
        now: Callable[[], datetime],
        on_answer: Callable[[], None],
        on_goodbye: Callable[[frames.GoodbyeFrame], None],
        upload: Callable[[FileToSend, frames.UploadOffer], Awaitable[None]],
        log: Log,
    ) -> None:
        self.answers: deque[uplink.CommandAnswer] = deque(maxlen=100)
        self._source = source
        self._now = now
        self._on_answer = on_answer
        self._on_goodbye = on_goodbye
        self._upload = upload
        self._log = log
        self._running: set[asyncio.Task[None]] = set()

    def start(self, call: downlink.CommandCall) -> None:
        if len(self._running) >= AT_ONCE:
            self.refuse(call.id, ErrorType.UNAVAILABLE, f"busy with {AT_ONCE} other commands; try again later")
            return
        self._log.info("command %s", call.params.name)
        task = asyncio.get_running_loop().create_task(self._run(call))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def refuse(self, request_id: frames.RequestId, kind: ErrorType, message: str) -> None:
        self._log.warning("request refused: %s", message)
        self._answer(uplink.CommandAnswer(request_id, error=rpc_error(kind, message)))

    def cancel(self) -> None:
        for task in self._running:
            task.cancel()

    async def _run(self, call: downlink.CommandCall) -> None:
        left_s = (call.params.deadline - self._now()).total_seconds()
        try:
            async with timeout(left_s):
                outcome = await self._handle(call.params, left_s)
                await self._send_files(outcome.files, call.params)
        except TimeoutError:
            self.refuse(call.id, ErrorType.DEADLINE_PASSED, f"{call.params.name} was not done by its deadline")
        except CommandError as refusal:
            self.refuse(call.id, ErrorType.REFUSED, str(refusal))
        except Exception as error:  # noqa: BLE001  (an error in one command must not stop the agent; it is logged)
            self._log.exception("command %s failed", call.params.name)
            self.refuse(call.id, ErrorType.UNAVAILABLE, f"{call.params.name} failed: {error}")
        else:
            self._finish(call, outcome)

    async def _handle(self, command: frames.CommandFrame, left_s: float) -> CommandOutcome:
        if left_s <= 0:
            raise TimeoutError
        if command.name not in self._source.capabilities:
            known = ", ".join(self._source.capabilities) or "none"
            raise CommandError(f"unknown command {command.name!r}; supported: {known}")
        return await self._source.handle(command)

    async def _send_files(self, files: Sequence[FileToSend], command: frames.CommandFrame) -> None:
        """Raises CommandError."""
        offers = command.uploads or ()
        try:
            if len(files) > len(offers):
                raise CommandError(f"{command.name} has {len(files)} files; TMS takes {len(offers)}")
            for file, offer in zip(files, offers):  # noqa: B905  (there may be more offers)
                await self._upload(file, offer)
        finally:
            for file in files:
                if file.is_temporary:
                    file.path.unlink(missing_ok=True)

    def _finish(self, call: downlink.CommandCall, outcome: CommandOutcome) -> None:
        answer = uplink.CommandAnswer(call.id, outcome.result)
        try:
            size = len(uplink.answer(answer))
        except (TypeError, ValueError) as error:
            self.refuse(call.id, ErrorType.UNAVAILABLE, f"{call.params.name} failed: its result is not JSON: {error}")
            return
        if size > limits.FRAME_BYTES:
            self.refuse(call.id, ErrorType.REFUSED, f"the result is larger than {limits.FRAME_BYTES} bytes")
            return
        self._answer(answer)
        if outcome.goodbye:
            self._on_goodbye(outcome.goodbye)

    def _answer(self, answer: uplink.CommandAnswer) -> None:
        self.answers.append(answer)
        self._on_answer()
