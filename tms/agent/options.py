"""What can be chosen about an agent; the defaults are right for a terminal in the field."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tms.agent.connection.dialer import PING_S
from tms.agent.device.clock import BootClock, machine_clock, utc_now


@dataclass(frozen=True, slots=True)
class Options:
    interval_s: float | None = None
    """Between samples. Not longer than the heartbeat that TMS asks for, which is the default."""
    ping_s: float | None = PING_S
    """Between pings; None to send nothing while there is nothing to report."""
    ends_when_refused: bool = False
    """Give up when the credential is refused before TMS ever took it, instead of trying again."""
    now: Callable[[], datetime] = utc_now
    """The clock on the wall, which may be wrong and may be set at any time. Events of a source are dated by it."""
    clock: BootClock = field(default_factory=machine_clock)
    """The clock that reports are ordered by."""
    jitter: Callable[[], float] = random.random
    """From 0 to 1: spreads what many terminals would do at the same time."""
