"""The machine that the agent runs on, as a source."""

import asyncio
import logging
import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from tms_agent.commands.own import OwnCommands
from tms_agent.device.clock import uptime_s, utc_now
from tms_agent.device.command_probes import CommandProbes, ProbeChoices
from tms_agent.device.identity import Identity
from tms_agent.device.probes import Probes
from tms_agent.device.source import (
    CommandError,
    CommandOutcome,
    CommandRun,
    DeviceIdentity,
    DeviceSample,
    FileToSend,
    UnknownCommand,
)
from tms_agent.protocol import frames

DEGRADED_FROM = {"memory_pct": 95.0, "disk_pct": 95.0, "temperature_c": 95.0}
"""The values from which on the machine reports itself as degraded."""
REBOOT_TAKES = timedelta(minutes=3)
MAX_LINES = 500
LINES_SENT = 100
LINE_LENGTH = 300
LOG_TYPES = {".gz": "application/gzip", ".zip": "application/zip"}


class LogTail(logging.Handler):
    """Stores the newest lines of the agent's own log for `collect_logs`."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=MAX_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record)[:LINE_LENGTH])


class Machine:
    """Reboots the computer only if that was allowed, because it may be a laptop."""

    def __init__(
        self,
        *,
        tail: LogTail,
        allows_reboot: bool = False,
        log_files: Sequence[Path] = (),
        screenshot_command: Sequence[str] = (),
        own: OwnCommands | None = None,
        identity: Identity | None = None,
        probes: ProbeChoices | None = None,
    ) -> None:
        """`screenshot_command` writes a PNG to the path that takes the place of `{path}` in it."""
        self._identity = identity or Identity()
        probes = probes or ProbeChoices()
        self._probes = Probes(off=probes.off)
        self._command_probes = CommandProbes(probes.commands)
        self._tail = tail
        self._allows_reboot = allows_reboot
        self._log_files = log_files
        self._screenshot_command = screenshot_command
        self._own = own
        self._handlers: dict[str, Callable[[Mapping[str, Any]], CommandOutcome | Awaitable[CommandOutcome]]] = {
            "ping": self._ping,
            "reboot": self._reboot,
            "collect_logs": self._collect_logs,
            **({"logs": self._logs} if log_files else {}),
            **({"screenshot": self._screenshot} if screenshot_command else {}),
        }

    @property
    def identity(self) -> DeviceIdentity:
        return self._identity.read()

    @property
    def capabilities(self) -> Sequence[str]:
        own = self._own.names() if self._own else ()
        return *self._handlers, *(name for name in own if name not in self._handlers)

    def uptime_s(self) -> float:
        return uptime_s()

    def sample(self) -> DeviceSample:
        metrics = {**self._probes.read(), **self._command_probes.read()}
        is_degraded = any(metrics.get(name, 0.0) >= limit for name, limit in DEGRADED_FROM.items())
        return DeviceSample("degraded" if is_degraded else "ok", metrics)

    async def handle(self, command: frames.CommandFrame, run: CommandRun) -> CommandOutcome:
        if handler := self._handlers.get(command.name):
            outcome = handler(command.args)
            return outcome if isinstance(outcome, CommandOutcome) else await outcome
        if self._own is None or not (program := self._own.find(command.name)):
            raise UnknownCommand(command.name, self.capabilities)
        result = await self._own.run(program, command, run)
        goodbye = frames.GoodbyeFrame("reboot", utc_now() + REBOOT_TAKES) if _asks_for_reboot(result) else None
        return CommandOutcome(result, goodbye)

    def _ping(self, args: Mapping[str, Any]) -> CommandOutcome:
        return CommandOutcome({"answer": "pong", "at": utc_now().isoformat(timespec="milliseconds")})

    def _reboot(self, args: Mapping[str, Any]) -> CommandOutcome:
        """Returns the answer and the goodbye; the caller of the agent calls `reboot` once both are sent."""
        if not self._allows_reboot:
            raise CommandError("rebooting is not allowed; start the agent with --allow-reboot, or set allow_reboot")
        back_at = utc_now() + REBOOT_TAKES
        return CommandOutcome(
            {"back_at": back_at.isoformat(timespec="seconds")}, frames.GoodbyeFrame("reboot", back_at)
        )

    def _collect_logs(self, args: Mapping[str, Any]) -> CommandOutcome:
        lines = args.get("lines", LINES_SENT)
        if type(lines) is not int or not 1 <= lines <= LINES_SENT:
            raise CommandError(f"lines={lines!r}: expected a whole number from 1 to {LINES_SENT}")
        return CommandOutcome({"lines": list(self._tail.lines)[-lines:]})

    def _logs(self, args: Mapping[str, Any]) -> CommandOutcome:
        """The files that were named when the agent started, and no others."""
        files = [path for path in self._log_files if path.is_file() and path.stat().st_size]
        if not files:
            raise CommandError(f"no log to send: {', '.join(map(str, self._log_files))} are missing or empty")
        sent = [FileToSend(path, LOG_TYPES.get(path.suffix, "text/plain"), may_be_cut=True) for path in files]
        return CommandOutcome({"files": [path.name for path in files]}, files=sent)

    async def _screenshot(self, args: Mapping[str, Any]) -> CommandOutcome:
        handle, name = tempfile.mkstemp(suffix=".png", prefix="tms-agent-")
        os.close(handle)
        path = Path(name)
        try:
            await self._take_screenshot(path)
        except BaseException:
            discard(path)
            raise
        return CommandOutcome(files=[FileToSend(path, "image/png", is_temporary=True)])

    async def _take_screenshot(self, path: Path) -> None:
        command = [part.replace("{path}", str(path)) for part in self._screenshot_command]
        try:
            process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.DEVNULL)
        except OSError as error:
            raise CommandError(f"{command[0]}: {error.strerror}") from None
        try:
            status = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
        if status:
            raise CommandError(f"{command[0]} ended with {status}")


def _asks_for_reboot(result: Any) -> bool:
    """A handler that needs one lets the agent do it, so that its answer and a goodbye are sent before."""
    return isinstance(result, dict) and result.get("reboot") is True


def discard(path: Path) -> None:
    path.unlink(missing_ok=True)


def reboot(command: Sequence[str] = ()) -> None:
    """Needs the permission to do so; raises OSError or CalledProcessError without it."""
    when = ["/r", "/t", "0"] if sys.platform == "win32" else ["-r", "now"]
    subprocess.run(command or ["shutdown", *when], check=True)
