"""Turns samples into spooled reports, numbered and timed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from tms.agent.dialer import agent_name
from tms.agent.log import Log
from tms.agent.reports import cleaned, fault_in, reports_of, state_of
from tms.agent.source import Sample, Source
from tms.agent.spool import Spool
from tms.protocol import frames, limits

ROUND_TRIP = "link_rtt_ms"
CLOCK_TOLERANCE = timedelta(seconds=60)


class Recorder:
    """One boot of a terminal: its id, its sequence, its clock."""

    def __init__(self, source: Source, spool: Spool, *, now: Callable[[], datetime], log: Log) -> None:
        self.boot_id = uuid4().hex
        self.last_seq = 0
        self._source = source
        self._spool = spool
        self._own_now = now
        self._log = log
        self._shift = timedelta()
        self._last_fault = ""

    def now(self) -> datetime:
        """By the terminal's clock, or by TMS's where that one is plainly wrong."""
        return self._own_now() + self._shift

    def set_clock(self, server_time: datetime) -> None:
        """Many terminals start in 1970 or have a battery that ran out; their history would be worthless."""
        error = self._own_now() - server_time
        self._shift = -error if abs(error) > CLOCK_TOLERANCE else timedelta()
        if self._shift:
            self._log.warning("this clock is %s from TMS's: reports carry TMS's time", error)

    def record(self, *, round_trip_s: float) -> None:
        """Sample, and add the one reading that only the link knows."""
        sample = self._sample()
        if sample is None:
            return
        if round_trip_s and ROUND_TRIP not in sample.metrics and len(sample.metrics) < limits.METRICS_PER_REPORT:
            sample = replace(sample, metrics={**sample.metrics, ROUND_TRIP: round(round_trip_s * 1000, 1)})
        self._spool_reports(sample)

    def boot(self) -> frames.Boot:
        """The boot frame of the next link, with the state as it is now."""
        sample = self._sample() or Sample()
        identity = cleaned(self._source.identity)
        boot = frames.Boot(
            boot_id=self.boot_id,
            uptime_s=max(0.0, self._source.uptime_s()),
            serial=identity.serial,
            model=identity.model,
            firmware=identity.firmware,
            agent=agent_name(),
            capabilities=tuple(self._source.capabilities),
            last_seq=self.last_seq,
            full=state_of(sample),
        )
        if sample.events:
            # Numbered beyond `last_seq`, so that they are not taken for backfill.
            self._spool_reports(sample)
        return boot

    def _sample(self) -> Sample | None:
        """None when the source has nothing to say, or something that TMS would refuse."""
        sample = self._source.sample()
        if sample is None:
            return None
        fault = next(filter(None, map(fault_in, self._reports(sample))), None)
        message = f"{fault.where}: {fault.message}" if fault else ""
        if message and message != self._last_fault:
            self._log.error("a sample cannot be reported: %s", message)
        self._last_fault = message
        return None if fault else sample

    def _spool_reports(self, sample: Sample) -> None:
        for report in self._reports(sample):
            self._spool.append(self.boot_id, report)
            self.last_seq = report.seq

    def _reports(self, sample: Sample) -> list[frames.Report]:
        return list(reports_of(sample, first_seq=self.last_seq + 1, at=self.now(), shift=self._shift))
