"""Options of an agent. The defaults suit a terminal in the field."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tms_agent.connection.dialer import PING_S
from tms_agent.connection.network import Network
from tms_agent.device.clock import BootClock, machine_clock, utc_now
from tms_agent.management import ManagementSettings


@dataclass(frozen=True, slots=True)
class Options:
    interval_s: float | None = None
    """Seconds between samples. At most the heartbeat that TMS asks for, which is the default."""
    ping_s: float | None = PING_S
    """Seconds between pings; None to send nothing while there is nothing to report."""
    ends_when_refused: bool = False
    """Give up if the credential is rejected before TMS ever accepted it, instead of retrying."""
    network: Network = field(default_factory=Network)
    now: Callable[[], datetime] = utc_now
    """The system clock, which may be wrong and may be set at any time. It dates the events of a source."""
    clock: BootClock = field(default_factory=machine_clock)
    """The clock that orders reports."""
    jitter: Callable[[], float] = random.random
    """A random number from 0 to 1: it spreads what many terminals would do at the same time."""
    management: ManagementSettings = field(default_factory=ManagementSettings)
    """What TMS may change on the terminal beside running commands."""
