"""Runs the commands that TMS sends: each once, and until its deadline."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from tms_agent.commands.progress import Progress
from tms_agent.commands.results import read_result_file, result_of
from tms_agent.device.source import CommandError, CommandOutcome, CommandRun, DeviceSource, FileToSend
from tms_agent.log import Log
from tms_agent.protocol import downlink, frames, limits, uplink
from tms_agent.protocol.errors import ErrorType, rpc_error
from tms_agent.storage.answers import Answers
from tms_agent.timeouts import timeout

AT_ONCE = 4
INTERRUPTED = "interrupted by a restart of the terminal; it is not known how far it got"

Upload = Callable[[FileToSend, frames.UploadOffer, Callable[[int], None]], Awaitable[None]]


class Commands:
    """An answer outlives the link of its command: it is sent on the next one."""

    def __init__(
        self,
        source: DeviceSource,
        answers: Answers,
        *,
        now: Callable[[], datetime],
        on_news: Callable[[], None],
        on_goodbye: Callable[[frames.GoodbyeFrame], None],
        upload: Upload,
        log: Log,
    ) -> None:
        self.answers = answers
        self.progress = Progress(on_news)
        self._source = source
        self._now = now
        self._on_news = on_news
        self._on_goodbye = on_goodbye
        self._upload = upload
        self._log = log
        self._running: dict[frames.RequestId, asyncio.Task[None]] = {}
        for request_id, result_file in answers.unfinished():
            self._answer_interrupted(request_id, result_file)

    def start(self, call: downlink.CommandCall) -> None:
        if call.id in self._running or self.answers.is_known(call):
            self._log.info("command %s came again; it is not run twice", call.params.name)
            return
        if len(self._running) >= AT_ONCE:
            self.refuse(call.id, ErrorType.UNAVAILABLE, f"busy with {AT_ONCE} other commands; try again later")
            return
        self._log.info("command %s", call.params.name)
        run = CommandRun(partial(self.progress.note, call.id), self.answers.begin(call))
        task = asyncio.get_running_loop().create_task(self._run(call, run))
        self._running[call.id] = task
        task.add_done_callback(lambda _: self._end(call.id))

    def done(self, request_id: frames.RequestId, result: Any) -> None:
        """Answer a request that is no command."""
        self.progress.forget(request_id)
        self._answer(uplink.CommandAnswer(request_id, result))

    def refuse(self, request_id: frames.RequestId, kind: ErrorType, message: str) -> None:
        self._log.warning("request refused: %s", message)
        self._answer(uplink.CommandAnswer(request_id, error=rpc_error(kind, message)))

    async def stop(self) -> None:
        """Cancel what runs, and wait until nothing is left of it."""
        self.progress.cancel()
        for task in self._running.values():
            task.cancel()
        if self._running:
            await asyncio.wait(self._running.values())

    async def _run(self, call: downlink.CommandCall, run: CommandRun) -> None:
        left_s = (call.params.deadline - self._now()).total_seconds()
        try:
            async with timeout(left_s):
                outcome = await self._handle(call.params, run, left_s)
                await self._send_files(outcome.files, call.params, run)
        except TimeoutError:
            self.refuse(call.id, ErrorType.DEADLINE_PASSED, f"{call.params.name} was not done by its deadline")
        except CommandError as refusal:
            self.refuse(call.id, ErrorType.REFUSED, str(refusal))
        except Exception as error:  # noqa: BLE001  (an error in one command must not stop the agent; it is logged)
            self._log.exception("command %s failed", call.params.name)
            self.refuse(call.id, ErrorType.UNAVAILABLE, f"{call.params.name} failed: {error}")
        else:
            self._finish(call, outcome)

    async def _handle(self, command: frames.CommandFrame, run: CommandRun, left_s: float) -> CommandOutcome:
        if left_s <= 0:
            raise TimeoutError
        return await self._source.handle(command, run)

    async def _send_files(self, files: Sequence[FileToSend], command: frames.CommandFrame, run: CommandRun) -> None:
        """Raises CommandError."""
        offers = command.uploads or ()
        try:
            if len(files) > len(offers):
                raise CommandError(f"{command.name} has {len(files)} files; TMS takes {len(offers)}")
            for file, offer in zip(files, offers):  # noqa: B905  (there may be more offers)
                await self._upload(file, offer, _percentage(run, file.path.name))
        finally:
            for file in files:
                if file.is_temporary:
                    file.path.unlink(missing_ok=True)

    def _finish(self, call: downlink.CommandCall, outcome: CommandOutcome) -> None:
        try:
            self._answer(uplink.CommandAnswer(call.id, outcome.result))
        except CommandError as error:
            self.refuse(call.id, ErrorType.REFUSED, str(error))
            return
        except (TypeError, ValueError, OverflowError) as error:
            self.refuse(call.id, ErrorType.UNAVAILABLE, f"{call.params.name} failed: its result is not JSON: {error}")
            return
        if outcome.goodbye:
            self._on_goodbye(outcome.goodbye)

    def _answer_interrupted(self, request_id: frames.RequestId, result_file: Path) -> None:
        """The agent ended while the command ran: perhaps because of the command."""
        if written := read_result_file(result_file):
            with suppress(CommandError, TypeError, ValueError, OverflowError):
                self._answer(uplink.CommandAnswer(request_id, result_of(written)))
                return
        self._log.warning("command %s was %s", request_id, INTERRUPTED)
        self._answer(uplink.CommandAnswer(request_id, error=rpc_error(ErrorType.UNAVAILABLE, INTERRUPTED)))

    def _answer(self, answer: uplink.CommandAnswer) -> None:
        """Raises CommandError, TypeError, ValueError and OverflowError for a result that TMS cannot take."""
        text = uplink.answer(answer)
        if len(text) > limits.FRAME_BYTES:
            raise CommandError(f"the result is larger than {limits.FRAME_BYTES} bytes")
        self.answers.put(answer.id, text)
        self._on_news()

    def _end(self, request_id: frames.RequestId) -> None:
        del self._running[request_id]
        self.progress.forget(request_id)


def _percentage(run: CommandRun, name: str) -> Callable[[int], None]:
    return lambda percent: run.progress(percent, name)
