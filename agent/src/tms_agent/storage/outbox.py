"""What one link sends next."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from typing import NamedTuple

from tms_agent.commands.progress import Progress
from tms_agent.device.clock import BootClock
from tms_agent.log import Log
from tms_agent.protocol import frames, uplink
from tms_agent.protocol.errors import ErrorType, rpc_error
from tms_agent.reports import CALL_BYTES
from tms_agent.storage.answers import Answers
from tms_agent.storage.entry import SpooledReport
from tms_agent.storage.spool import Spool

SMALLEST_FRAME = 4096
"""The smallest limit of any TMS; a smaller value is a mistake, which must not cost reports."""
MIN_STALE_S = 10.0

_heartbeat = uplink.heartbeat()


class OutboxFrame(NamedTuple):
    text: bytes
    is_paced: bool = True
    """Counts against the frames per minute that TMS allows; backfill does not."""
    is_last: bool = False
    answers: frames.RequestId | None = None
    """The request that it answers."""


class Outbox:
    """Answers first, then a goodbye, then reports in chronological order, then a heartbeat that is due, then progress.

    At most `reports_per_batch` reports are unacknowledged, so that backfill is as fast as TMS commits it. Boots whose
    time is unknown wait for a TMS that accepts reports without an instant.
    """

    def __init__(
        self,
        spool: Spool,
        answers: Answers,
        progress: Progress,
        *,
        boot: frames.BootFrame,
        booted: frames.BootResult,
        frame_bytes: int,
        clock: BootClock,
        log: Log,
    ) -> None:
        self.goodbye: frames.GoodbyeFrame | None = None
        self.is_beat_due = False
        self.is_draining = False
        self._spool = spool
        self._answers = answers
        self._answers.begin_link()
        self._confirms_answers = "answered" in booted.features
        self._progress = progress if "progress" in booted.features else None
        self._boot = boot
        self.frame_bytes = max(SMALLEST_FRAME, min(frame_bytes, booted.limits.frame_bytes))
        self._window = max(1, booted.limits.reports_per_batch)
        self._stale_s = max(booted.heartbeat_s, MIN_STALE_S)
        self._accepts_undated = booted.accepts_undated
        self._clock = clock
        self._log = log
        self._sent_position = 0
        self._refusals = 0

    @property
    def in_flight(self) -> int:
        return self._spool.count_until(self._sent_position, undated=self._accepts_undated)

    def take_ack(self, ack: frames.AckFrame) -> None:
        boot_id = self._boot.boot_id if ack.boot_id is None else ack.boot_id
        self._spool.acknowledge(boot_id, ack.seq)
        if not self.in_flight:
            self._refusals = 0

    def take_refusal(self) -> None:
        """TMS will never acknowledge one of the reports in flight; the next acknowledgement skips it."""
        self._refusals += 1

    def next(self) -> OutboxFrame | None:
        if answer := self._answers.next():
            request_id, text = answer
            return OutboxFrame(self._fitting_answer(request_id, text), answers=request_id)
        if self.goodbye:
            return OutboxFrame(uplink.goodbye(self.goodbye), is_last=True)
        frame = None if self.is_draining else self._next_reports()
        if frame is None and self.is_beat_due:
            frame = OutboxFrame(_heartbeat)
        if frame is not None:
            self.is_beat_due = False
            return frame
        progress = self._progress.next() if self._progress else None
        return OutboxFrame(uplink.progress(progress)) if progress else None

    def take_sent(self, frame: OutboxFrame) -> None:
        if frame.answers is not None and not self._confirms_answers:
            self.forget_answer(frame.answers)

    def forget_answer(self, request_id: frames.RequestId) -> None:
        """TMS has it, or will never take it."""
        self._answers.forget(request_id)

    def _fitting_answer(self, request_id: frames.RequestId, text: bytes) -> bytes:
        """`text`, or a refusal: TMS would close the link because of a larger frame than it takes."""
        if len(text) <= self.frame_bytes:
            return text
        refusal = rpc_error(ErrorType.REFUSED, f"the result is larger than {self.frame_bytes} bytes")
        return uplink.answer(uplink.CommandAnswer(request_id, error=refusal))

    def _next_reports(self) -> OutboxFrame | None:
        waiting = self._fitting(
            self._spool.after(
                self._sent_position,
                limit=self._window - self.in_flight + self._refusals,
                undated=self._accepts_undated,
            )
        )
        if not waiting:
            return None
        late = list(takewhile(self._is_late, waiting))
        going = late or waiting[:1]
        self._sent_position = going[-1].position
        reports = [self._report(entry, late=bool(late)) for entry in going]
        text = uplink.report(reports[0]) if len(reports) == 1 else uplink.reports(reports)
        return OutboxFrame(text, is_paced=not late)

    def _fitting(self, entries: Sequence[SpooledReport]) -> Sequence[SpooledReport]:
        """The first entries, as many as fit in one frame. A report too large for TMS can never be sent and must not
        block the others.
        """
        room = self.frame_bytes
        for count, entry in enumerate(entries):
            room -= len(entry.body) + CALL_BYTES
            if room < 0 and count == 0:
                self._log.error("report %s is larger than TMS takes (%s bytes): dropped", entry.seq, self.frame_bytes)
                self._spool.discard([entry.position])
                return self._fitting(entries[1:])
            if room < 0:
                return entries[:count]
        return entries

    def _is_late(self, entry: SpooledReport) -> bool:
        """Whether a report is history: of another boot, older than a heartbeat, or older than the boot's readings.

        An event that was only delayed by a short interruption is not history, because late events open no alert.
        """
        if entry.boot_id != self._boot.boot_id or self._clock.now().timestamp() - entry.at > self._stale_s:
            return True
        return entry.seq <= self._boot.last_seq and not entry.has_events

    def _report(self, entry: SpooledReport, *, late: bool) -> frames.ReportFrame:
        report = self._spool.report_of(entry)
        if late:
            report = replace(report, late=True)
        if entry.boot_id != self._boot.boot_id:
            report = replace(report, boot_id=entry.boot_id)
        return report
