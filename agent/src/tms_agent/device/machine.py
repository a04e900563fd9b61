"""The machine that the agent runs on, as a source."""

import logging
import platform
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from tms_agent.device.clock import uptime_s, utc_now
from tms_agent.device.probes import Probes
from tms_agent.device.source import CommandError, CommandOutcome, DeviceIdentity, DeviceSample
from tms_agent.protocol import frames

DEGRADED_FROM = {"memory_pct": 95.0, "disk_pct": 95.0, "temperature_c": 95.0}
"""The values from which on the machine reports itself as degraded."""
REBOOT_TAKES = timedelta(minutes=3)
MAX_LINES = 500
LINES_SENT = 100
LINE_LENGTH = 300


class LogTail(logging.Handler):
    """Stores the newest lines of the agent's own log for `collect_logs`."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=MAX_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record)[:LINE_LENGTH])


class Machine:
    """Reboots the computer only if that was allowed, because it may be a laptop."""

    def __init__(self, *, tail: LogTail, allows_reboot: bool = False) -> None:
        self._probes = Probes()
        self._tail = tail
        self._allows_reboot = allows_reboot
        self._handlers: dict[str, Callable[[Mapping[str, Any]], CommandOutcome]] = {
            "ping": self._ping,
            "reboot": self._reboot,
            "collect_logs": self._collect_logs,
        }

    @property
    def identity(self) -> DeviceIdentity:
        system = f"{platform.system()} {platform.machine()}"
        return DeviceIdentity(serial=platform.node(), model=system, firmware=platform.release())

    @property
    def capabilities(self) -> Sequence[str]:
        return tuple(self._handlers)

    def uptime_s(self) -> float:
        return uptime_s()

    def sample(self) -> DeviceSample:
        metrics = self._probes.read()
        is_degraded = any(metrics.get(name, 0.0) >= limit for name, limit in DEGRADED_FROM.items())
        return DeviceSample("degraded" if is_degraded else "ok", metrics)

    async def handle(self, command: frames.CommandFrame) -> CommandOutcome:
        return self._handlers[command.name](command.args)

    def _ping(self, args: Mapping[str, Any]) -> CommandOutcome:
        return CommandOutcome({"answer": "pong", "at": utc_now().isoformat(timespec="milliseconds")})

    def _reboot(self, args: Mapping[str, Any]) -> CommandOutcome:
        """Returns the answer and the goodbye; the caller of the agent calls `reboot` once both are sent."""
        if not self._allows_reboot:
            raise CommandError("rebooting is not allowed; start the agent with --allow-reboot")
        back_at = utc_now() + REBOOT_TAKES
        return CommandOutcome(
            {"back_at": back_at.isoformat(timespec="seconds")}, frames.GoodbyeFrame("reboot", back_at)
        )

    def _collect_logs(self, args: Mapping[str, Any]) -> CommandOutcome:
        lines = args.get("lines", LINES_SENT)
        if type(lines) is not int or not 1 <= lines <= LINES_SENT:
            raise CommandError(f"lines={lines!r}: expected a whole number from 1 to {LINES_SENT}")
        return CommandOutcome({"lines": list(self._tail.lines)[-lines:]})


def reboot() -> None:
    """Needs the permission to do so; raises OSError or CalledProcessError without it."""
    when = ["/r", "/t", "0"] if sys.platform == "win32" else ["-r", "now"]
    subprocess.run(["shutdown", *when], check=True)
