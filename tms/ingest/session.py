"""One terminal's session: the meaning of each frame, and the answers."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from django.conf import settings
from msgspec import UNSET
from msgspec.structs import replace

from tms.commands.models import Command
from tms.commands.services import Answered, CommandProgress, request_id
from tms.files.offers import Offer
from tms.fleet.credentials.services import CredentialKey
from tms.fleet.models import Cause
from tms.ingest.batch import Batch
from tms.ingest.fairness.backfill_pace import BackfillPace
from tms.ingest.fairness.weight import ORDINARY, weight_of
from tms.ingest.items import (
    Alive,
    Booted,
    BootOutcome,
    CommandAnswered,
    Lost,
    Noted,
    Parted,
    Progressed,
    Reported,
    TakenOver,
)
from tms.ingest.metric_limits import MetricNames
from tms.ingest.rule_evaluation import LinkEvaluator
from tms.lib.db.clock import db_clock
from tms.lib.token_bucket import TokenBucket
from tms.metrics import instruments
from tms.protocol import downlink, frames, limits, partly, uplink
from tms.protocol.close_codes import CloseCode
from tms.protocol.errors import ErrorType, FrameError
from tms.server import Connection

log = structlog.get_logger(__name__)

UNACKNOWLEDGED_LIMIT = 1_000
"""Weight of the uncommitted reports of one terminal, from which its link is not read any further."""

DUPLICATE_CREDENTIAL = "tms.duplicate_credential"
"""Code of the event that TMS raises when two devices repeatedly take over one terminal's link."""

FEATURES = ("answered", "config", "progress", "update")
"""What TMS understands beyond the basics of the protocol."""

NO_COMMAND = "expected the id of a command"
NOT_BOOTED = "not booted; send `boot` and wait for its answer"


class SessionListener(Protocol):
    """Notified when a session begins and ends."""

    backfill_pace: BackfillPace

    def began(self, session: "Session", *, has_commands: bool) -> None: ...
    def ended(self, session: "Session") -> None: ...


class Session:
    """One link of one terminal, from the handshake to its end. What few links need is created on demand."""

    __slots__ = (
        "_address",
        "_bad",
        "_batch",
        "_boot_deadline",
        "_boot_request",
        "_booting",
        "_bucket",
        "_committed",
        "_evaluator",
        "_is_over_pace",
        "_links",
        "_named_boot",
        "_names",
        "_resumed",
        "_too_fast",
        "_unacknowledged",
        "_wire",
        "boot_id",
        "boot_pk",
        "credential_id",
        "identity",
        "is_booted",
        "is_closed",
        "number",
    )

    def __init__(
        self, key: CredentialKey, *, wire: Connection, batch: Batch, links: SessionListener, address: str | None
    ) -> None:
        self.identity = key.identity
        self.credential_id = key.credential_id
        self.number = 0
        self.boot_id = ""
        self.boot_pk = 0
        self.is_booted = False
        self.is_closed = False
        self._address = address
        self._wire = wire
        self._batch = batch
        self._links = links
        self._evaluator = LinkEvaluator(key.identity)
        self._names = MetricNames()
        self._booting: asyncio.Future[None] | None = None
        """The commit of the boot, while it is in progress."""
        self._boot_deadline: asyncio.TimerHandle | None = None
        self._boot_request: frames.RequestId = 0
        self._bucket = TokenBucket(
            per_minute=settings.FRAMES_PER_MINUTE, burst=settings.FRAMES_BURST, at=time.monotonic()
        )
        self._bad: ViolationCounter | None = None
        self._too_fast: ViolationCounter | None = None
        self._unacknowledged = 0
        """The weight of what is not acknowledged yet."""
        self._is_over_pace = False
        """Whether it may have backfilled more than its pace allows."""
        self._named_boot = ""
        """The earlier boot that a report named last."""
        self._resumed: asyncio.Event | None = None
        """Created only if something waits, because it takes a kilobyte."""
        self._committed: dict[str, int] | None = None

    def expect_boot(self) -> None:
        """Close the link if it does not boot in time."""
        loop = asyncio.get_running_loop()
        self._boot_deadline = loop.call_later(settings.BOOT_DEADLINE_S, self.refuse_unbooted)

    def take(self, message: str | bytes) -> Awaitable[None] | None:
        """Handle one WebSocket message. Await the returned awaitable before the next one."""
        for frame in uplink.decode(message):
            # A frame of this message may have closed the link; nothing that follows it counts.
            if self.is_closed:
                return None
            if isinstance(frame, FrameError):
                self._refuse(frame)
            else:
                self._take_frame(frame)
        is_behind = self._booting or self._has_too_much_unacknowledged or self._is_over_pace or not self._batch.has_room
        return self._catch_up() if is_behind else None

    async def _catch_up(self) -> None:
        if self._booting is not None:
            await self._booting
        while self._has_too_much_unacknowledged and not self.is_closed:
            await self._wait()
        while (wait_s := self._pause_s()) and not self.is_closed:
            await self._wait(wait_s)
        self._is_over_pace = False
        await self._batch.room()

    async def _wait(self, longest_s: float | None = None) -> None:
        self._resumed = asyncio.Event()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._resumed.wait()

    @property
    def _has_too_much_unacknowledged(self) -> bool:
        if self._unacknowledged >= UNACKNOWLEDGED_LIMIT:
            return True
        return self._unacknowledged > ORDINARY and not self._batch.has_room_for_backlogs

    def _pause_s(self) -> float:
        return self._links.backfill_pace.wait_s(self.identity.terminal_id, at=time.monotonic())

    def end(self, cause: Cause = Cause.CONNECTION_LOST, *, silent_s: float = 0.0) -> None:
        """The socket has closed, in a half-open link after `silent_s` seconds in which nothing was received."""
        self.is_closed = True
        self._cancel_deadline()
        # A link that never booted has changed nothing, so that its end changes nothing either.
        self._links.ended(self)
        if self.boot_id:
            at = _now()
            self._batch.add(Lost(self, at, cause, since=at - timedelta(seconds=silent_s) if silent_s else None))

    def close(self, code: CloseCode, reason: str) -> None:
        if not self.is_closed:
            self.is_closed = True
            self._resume()
            instruments.LINKS_CLOSED.labels(str(code.value)).inc()
            log.info("link_closed", terminal=self.identity.uid, code=code.value, reason=reason)
            self._wire.close(code, reason)

    def refuse_unbooted(self) -> None:
        """The deadline for booting has passed. A boot that waits for its commit is our delay, not the terminal's."""
        if not self.is_booted and self._booting is None:
            self.close(CloseCode.NO_BOOT, f"no `boot` within {settings.BOOT_DEADLINE_S:g} s")

    def send_command(self, command: Command, offers: Sequence[Offer] = ()) -> None:
        assert command.due_at is not None
        uploads = tuple(frames.UploadOffer(*offer) for offer in offers)
        params = frames.CommandFrame(command.name, command.args, command.due_at, uploads or UNSET)
        self._wire.send(downlink.encode(downlink.CommandCall(request_id(command.pk), params)))

    def send_change(self, text: str) -> None:
        """`text`: the encoded frame of a change."""
        self._wire.send(text)

    def drain(self, *, reconnect_after_s: float, spread_s: float) -> None:
        self._wire.send(downlink.encode(downlink.DrainCall(frames.DrainFrame(reconnect_after_s, spread_s))))

    def close_replaced(self) -> None:
        """A newer session of this terminal began, here or on another node."""
        if self.is_closed:
            return
        self.close(CloseCode.REPLACED, "replaced by a newer session")
        instruments.TAKEOVERS.inc()
        at = _now()
        text = f"two devices use its credential; links refused for {settings.TAKEOVER_BAN_S:g} s"
        event = frames.TerminalEvent(at=at, code=DUPLICATE_CREDENTIAL, severity="critical", text=text)
        self._batch.add(TakenOver(self, at, event, self._evaluator.event(event.code, at=at)))

    def note(self, event: frames.TerminalEvent) -> None:
        """Store an event that TMS raises about this terminal."""
        at = _now()
        self._batch.add(Noted(self, at, event, self._evaluator.event(event.code, at=at)))

    # Callbacks of the batch

    def on_booted(self, outcome: BootOutcome | None) -> None:
        booting, self._booting = self._booting, None
        if not self.is_closed:
            self._answer_boot(outcome)
        if booting is not None and not booting.done():
            booting.set_result(None)

    def on_committed(self, report: frames.ReportFrame) -> None:
        self._count_answered(report)
        boot_id = self.boot_id if report.boot_id is UNSET else report.boot_id
        committed = self._committed = self._committed or {}
        # Reports of a flush are not in order if some of them are late.
        committed[boot_id] = max(committed.get(boot_id, 0), report.seq)

    def on_rejected(self, report: frames.ReportFrame) -> None:
        self._count_answered(report)
        self._answer(
            FrameError(
                ErrorType.UNAVAILABLE, f"report {report.seq} could not be stored; send it again", where="$.params"
            )
        )

    def on_answered(self, answer: Answered) -> None:
        if not self.is_closed:
            self._wire.send(downlink.answered(request_id(answer.command_id)))

    def acknowledge(self) -> None:
        committed, self._committed = self._committed, None
        if self.is_closed or committed is None:
            return
        for boot_id, seq in committed.items():
            self._wire.send(downlink.ack(seq, UNSET if boot_id == self.boot_id else boot_id))

    def on_fenced(self) -> None:
        self.close_replaced()

    # Frames

    def _take_frame(self, frame: uplink.Uplink) -> None:
        if isinstance(frame, uplink.BootCall):
            self._boot(frame)
        elif not self.is_booted:
            self._refuse(FrameError(ErrorType.NOT_BOOTED, NOT_BOOTED))
        elif self._within_rate(frame):
            self._take_booted(frame)

    def _take_booted(self, frame: uplink.Uplink) -> None:
        at = _now()
        if isinstance(frame, uplink.ReportCall):
            _count_received("report")
            report = self._without_new_names(frame.params)
            rule_events = self._evaluator.report(report, at=at)
            item = Reported(self, at, report, rule_events, time.monotonic())
            self._count(report, item.weight)
            self._batch.add(item)
        elif isinstance(frame, uplink.HeartbeatCall):
            _count_received("heartbeat")
            self._batch.add(Alive(self, at, self._evaluator.heartbeat(at=at)))
        elif isinstance(frame, uplink.GoodbyeCall):
            _count_received("goodbye")
            self._batch.add(Parted(self, at, frame.params))
        elif isinstance(frame, uplink.CommandAnswer):
            _count_received("answer")
            self._take_answer(frame, at)
        elif isinstance(frame, uplink.ProgressCall):
            _count_received("progress")
            self._take_progress(frame.params, at)

    def _count(self, report: frames.ReportFrame, weight: int) -> None:
        """A live report is within the frame rate, and counts as backfill only as far as it is no ordinary one."""
        self._unacknowledged += weight
        if not (report.late or report.boot_id is not UNSET):
            weight -= ORDINARY
        elif report.boot_id is not UNSET and report.boot_id != self._named_boot:
            self._named_boot = report.boot_id
            weight += limits.BOOT_WEIGHT
        if weight > 0:
            pace, terminal_id = self._links.backfill_pace, self.identity.terminal_id
            self._is_over_pace |= pace.charge(terminal_id, weight, at=time.monotonic())

    def _without_new_names(self, report: frames.ReportFrame) -> frames.ReportFrame:
        if report.metrics is UNSET or not (beyond := self._names.beyond(report.metrics)):
            return report
        self._answer(partly.beyond_names(beyond))
        return replace(report, metrics={name: value for name, value in report.metrics.items() if name not in beyond})

    def _boot(self, call: uplink.BootCall) -> None:
        if self.is_booted:
            self._refuse(FrameError(ErrorType.ALREADY_BOOTED, "already booted; reconnect to boot again", id=call.id))
            return
        _count_received("boot")
        self.boot_id = call.params.boot_id
        self._booting = asyncio.get_running_loop().create_future()
        self._boot_request = call.id
        self._batch.add(Booted(self, _now(), call.params, self._address))

    def _answer_boot(self, outcome: BootOutcome | None) -> None:
        if outcome is None:
            why = "`boot` could not be stored; try again"
            self._refuse(FrameError(ErrorType.UNAVAILABLE, why, id=self._boot_request))
            self.close(CloseCode.DRAINING, "`boot` could not be stored; reconnect")
            return
        self.number, self.boot_pk, self.is_booted = outcome.session, outcome.boot_pk, True
        self._cancel_deadline()
        self._evaluator = LinkEvaluator(self.identity, outcome.active_rules)
        self._names = MetricNames(outcome.metrics)
        instruments.BOOTS.inc()
        answer = frames.BootResult(
            session=outcome.session,
            heartbeat_s=settings.HEARTBEAT_S,
            server_time=_now(),
            acked_seq=outcome.acked_seq,
            limits=frames.Limits(frames_per_minute=settings.FRAMES_PER_MINUTE, frames_burst=settings.FRAMES_BURST),
            accepts_undated=True,
            features=FEATURES,
        )
        self._wire.send(downlink.encode(downlink.BootAnswer(self._boot_request, answer)))
        self._links.began(self, has_commands=outcome.has_commands)

    def _take_answer(self, answer: uplink.CommandAnswer, at: datetime) -> None:
        command_id = _command_id(answer.id)
        if command_id is None:
            self._refuse(FrameError(ErrorType.BAD_FRAME, NO_COMMAND, where="$.id"))
            return
        error = "" if answer.error is UNSET else f"{answer.error.data.type} {answer.error.message}".strip()
        result = None if answer.result is UNSET else answer.result
        answered = Answered(command_id, self.identity.terminal_id, result, error)
        self._batch.add(CommandAnswered(self, at, answered))

    def _take_progress(self, params: frames.ProgressFrame, at: datetime) -> None:
        command_id = _command_id(params.id)
        if command_id is None:
            self._refuse(FrameError(ErrorType.BAD_FRAME, NO_COMMAND, where="$.params.id"))
            return
        percent = None if params.percent is UNSET else params.percent
        progress = CommandProgress(command_id, self.identity.terminal_id, percent, params.text)
        self._batch.add(Progressed(self, at, progress))

    def _cancel_deadline(self) -> None:
        if self._boot_deadline is not None:
            self._boot_deadline.cancel()
            self._boot_deadline = None

    # Limits

    def _within_rate(self, frame: uplink.Uplink) -> bool:
        """Late reports are paced by their acknowledgements and their weight instead."""
        if isinstance(frame, uplink.ReportCall) and (frame.params.late or frame.params.boot_id is not UNSET):
            return True
        now = time.monotonic()
        if self._bucket.take(now):
            return True
        allowed = f"limit {settings.FRAMES_PER_MINUTE} frames per minute, burst {settings.FRAMES_BURST}"
        self._answer(FrameError(ErrorType.TOO_FAST, f"too fast; {allowed}; mark backfill as `late`"))
        # A later report would be acknowledged before a failed one: it ends the link, and is sent again.
        self._too_fast = self._too_fast or ViolationCounter(settings.FRAMES_BURST)
        if isinstance(frame, uplink.ReportCall) or self._too_fast.add(now):
            self.close(CloseCode.TOO_FAST, f"too fast; {allowed}")
        return False

    def _refuse(self, error: FrameError) -> None:
        self._answer(error)
        if error.kind is ErrorType.PART_REFUSED:
            return  # of an accepted frame: a broken sensor must not end the link
        self._bad = self._bad or ViolationCounter(limits.BAD_FRAMES_PER_MINUTE)
        if self._bad.add(time.monotonic()):
            self.close(CloseCode.BAD_FRAMES, f"too many bad frames; limit {limits.BAD_FRAMES_PER_MINUTE} per minute")

    def _answer(self, error: FrameError) -> None:
        instruments.FRAMES_REFUSED.labels(error.kind.value).inc()
        self._wire.send(downlink.refusal(error))

    def _count_answered(self, report: frames.ReportFrame) -> None:
        self._unacknowledged -= weight_of(report)
        if self._resumed is not None:
            self._resume()

    def _resume(self) -> None:
        """Let what waits check again whether the link may be read."""
        if self._resumed is not None:
            self._resumed.set()
            self._resumed = None


_received = {method: instruments.FRAMES_RECEIVED.labels(method) for method in (*uplink.METHODS, "answer")}


def _count_received(method: str) -> None:
    _received[method].inc()


def _command_id(request_id: frames.RequestId) -> int | None:
    number = str(request_id).removeprefix("c")
    # 18 digits fit the column; a longer number would be an error of the database for the whole batch.
    return int(number) if number.isascii() and number.isdigit() and len(number) <= 18 else None


def _now() -> datetime:
    return db_clock().now()


class ViolationCounter:
    """Counts violations of a link: the `most`-th within one minute is one too many."""

    __slots__ = ("_at", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._at: list[float] = []

    def add(self, at: float) -> bool:
        """Whether the one at `at` (`time.monotonic()`) is one too many."""
        self._at = [*(earlier for earlier in self._at if at - earlier < 60), at]
        return len(self._at) >= self._most
