"""The clock that orders reports, and the conversion of its readings once TMS has sent its time."""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from tms_agent.protocol import frames

ZERO = datetime(2050, 1, 1, tzinfo=timezone.utc)
"""What a boot clock shows at boot: a year that frames accept, because the spool stores them, and far from any other."""
COUNTS_SLEEP: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""`time.monotonic` stops while a machine sleeps: on Linux, and on a Mac, where CLOCK_MONOTONIC does not."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class BootClock:
    """Counts while the machine runs or sleeps, and cannot be set. `id` names the boot that it counts from."""

    id: str
    elapsed_s: Callable[[], float]

    def now(self) -> datetime:
        return ZERO + timedelta(seconds=self.elapsed_s())


class Anchor(NamedTuple):
    """A reading of a boot clock at a known instant."""

    clock: str
    elapsed_s: float
    server_time: datetime

    def date(self, at: datetime) -> datetime:
        """`at` is by the boot clock."""
        return self.server_time + (at - ZERO) - timedelta(seconds=self.elapsed_s)


def dated(report: frames.ReportFrame, anchor: Anchor | None) -> frames.ReportFrame:
    """`report` is by a boot clock. Without an anchor its time is unknown, and its instants become None."""

    def date(at: datetime | None) -> datetime | None:
        return anchor.date(at) if anchor and at else None

    events = tuple(replace(event, at=date(event.at)) for event in report.events)
    return replace(report, at=date(report.at), events=events)


@functools.cache
def machine_clock() -> BootClock:
    """If the system does not identify its boot, each start of the agent has its own clock."""
    try:
        return BootClock(BOOT_ID.read_text(encoding="ascii").strip(), uptime_s)
    except OSError:
        return BootClock(uuid4().hex, uptime_s)


def utc_now() -> datetime:
    """The time by the system clock, which may be wrong and may be set at any time."""
    return datetime.now(timezone.utc)


def uptime_s() -> float:
    """Seconds since the machine started, or since another fixed instant if the system does not know. Includes sleep."""
    return time.monotonic() if COUNTS_SLEEP is None else time.clock_gettime(COUNTS_SLEEP)
