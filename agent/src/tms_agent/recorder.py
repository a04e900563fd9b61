"""Turns samples into spooled reports, numbered and timed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from tms_agent.connection.dialer import agent_name
from tms_agent.device.clock import Anchor, BootClock
from tms_agent.device.source import DeviceSample, DeviceSource
from tms_agent.log import Log
from tms_agent.protocol import frames, limits
from tms_agent.reports import clean_identity, fault_in, reports_of, state_of
from tms_agent.storage.spool import Spool

ROUND_TRIP = "link_rtt_ms"
CLOCK_TOLERANCE = timedelta(seconds=60)
MAX_EVENT_AGE = timedelta(days=366)
"""An older date comes from a clock that was never set."""


class Recorder:
    """One boot of a terminal's software: its id, its sequence, its clock.

    Reports are spooled by the boot clock, which cannot be set, and dated when they are sent.
    """

    def __init__(
        self, source: DeviceSource, spool: Spool, *, clock: BootClock, wall: Callable[[], datetime], log: Log
    ) -> None:
        self.boot_id = uuid4().hex
        self.last_seq = 0
        self.frame_bytes = limits.FRAME_BYTES
        """The largest frame that TMS takes, as far as is known."""
        self._source = source
        self._spool = spool
        self._clock = clock
        self._wall = wall
        self._log = log
        self._sampled_at = clock.now()
        self._wall_ahead = wall() - self._sampled_at
        self._last_fault = ""

    def now(self) -> datetime:
        """Now by TMS's time, or by the system clock until TMS has sent its time."""
        anchor = self._spool.anchors.get(self._clock.id)
        return anchor.date(self._clock.now()) if anchor else self._wall()

    def set_clock(self, server_time: datetime) -> None:
        """Many terminals start in 1970, or have an empty battery, and NTP may set them at any moment."""
        self._spool.set_anchor(Anchor(self._clock.id, self._clock.elapsed_s(), server_time))
        error = self._wall() - server_time
        if abs(error) > CLOCK_TOLERANCE:
            self._log.warning("this clock is %s from TMS's: reports carry TMS's time", error)

    def clock_error(self) -> timedelta | None:
        """How far the system clock is ahead of TMS's; None until TMS has sent its time in this boot."""
        return self._wall() - self.now() if self._clock.id in self._spool.anchors else None

    def corrected(self, at: datetime) -> datetime:
        """`at` is by the system clock; if that is clearly wrong, the same instant by TMS's."""
        error = self._wall() - self.now()
        return at - error if abs(error) > CLOCK_TOLERANCE else at

    def record(self, *, round_trip_s: float) -> None:
        """Sample, and add the one reading that only the link has."""
        sample = self._sample()
        if sample is None:
            return
        if round_trip_s and ROUND_TRIP not in sample.metrics and len(sample.metrics) < limits.METRICS_PER_REPORT:
            sample = replace(sample, metrics={**sample.metrics, ROUND_TRIP: round(round_trip_s * 1000, 1)})
        self._spool_reports(sample)

    def boot(self) -> frames.BootFrame:
        """The boot frame of the next link, with the current state."""
        sample = self._sample() or DeviceSample()
        identity = clean_identity(self._source.identity)
        boot = frames.BootFrame(
            boot_id=self.boot_id,
            uptime_s=max(0.0, self._source.uptime_s()),
            serial=identity.serial,
            model=identity.model,
            firmware=identity.firmware,
            software=identity.software,
            agent=agent_name(),
            capabilities=tuple(self._source.capabilities),
            last_seq=self.last_seq,
            full=state_of(sample),
        )
        if sample.events:
            # Numbered beyond `last_seq`, so that they do not count as backfill.
            self._spool_reports(sample)
        return boot

    def _sample(self) -> DeviceSample | None:
        """None if the source has nothing to report, or something that TMS would reject."""
        sample = self._source.sample()
        if sample is None:
            return None
        fault = next(filter(None, map(fault_in, self._reports(sample))), "")
        if fault and fault != self._last_fault:
            self._log.error("a sample cannot be reported: %s", fault)
        self._last_fault = fault
        return None if fault else sample

    def _spool_reports(self, sample: DeviceSample) -> None:
        for report in self._reports(sample):
            self._spool.append(self.boot_id, report, clock=self._clock.id)
            self.last_seq = report.seq
        self._sampled_at = self._clock.now()
        self._wall_ahead = self._wall() - self._sampled_at

    def _reports(self, sample: DeviceSample) -> list[frames.ReportFrame]:
        at = self._clock.now()
        reports = reports_of(
            sample,
            first_seq=self.last_seq + 1,
            at=at,
            event_at=lambda event: at - self._age(event, at),
            frame_bytes=self.frame_bytes,
        )
        return list(reports)

    def _age(self, event: frames.TerminalEvent, at: datetime) -> timedelta:
        """How long ago the event happened, with `at` as the current time of the boot clock.

        By the system clock, unless it was set meanwhile or the event has an impossible instant. Then it is only
        known that the event happened since the last sample.
        """
        if event.at is None:
            return timedelta()
        wall = self._wall()
        age = wall - event.at
        was_set = abs(wall - at - self._wall_ahead) > CLOCK_TOLERANCE
        longest = at - self._sampled_at if was_set else MAX_EVENT_AGE
        return age if timedelta() <= age <= longest else max(timedelta(), min(age, at - self._sampled_at))
