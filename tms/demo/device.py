"""A simulated device: its readings and its problems. The link is the real agent's; only the device is simulated."""

import math
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tms.demo.personality import WITH_PAPER, Personality
from tms.demo.screen import screenshot
from tms.demo.seed_file import DemoTerminal
from tms.demo.software import SimulatedSoftware
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

REBOOT_S = (15, 45)
LOCKED_FIRMWARE, LOCKED_SITE = "4.8.1", "SPR"
NO_MEMORY_LEFT_PCT = 45.0
"""A device uses about half of its memory without a leak."""
PAPER_LOW_PCT = 10.0
"""A device with less paper is degraded, and the default rule `Paper low` applies."""


@dataclass(slots=True)
class DemoDevice:
    """A `tms_agent.device.source.DeviceSource`. Time is `time.monotonic()`; a phase of its own spreads the fleet."""

    terminal: DemoTerminal
    personality: Personality
    random: Random = field(default_factory=Random)
    started_at: float = field(default_factory=time.monotonic)
    paper_pct: float = 100.0
    is_jammed: bool = False
    heat_c: float = 0.0
    """Heat beyond the device's usual temperature."""
    volumes: dict[str, int] = field(default_factory=dict)
    pending: list[frames.TerminalEvent] = field(default_factory=list)
    phase: float = 0.0
    folder: Path | None = None
    """Keeps what TMS changes on it; without one, TMS can change nothing."""
    software: SimulatedSoftware = field(init=False)

    def __post_init__(self) -> None:
        self.software = SimulatedSoftware(self.terminal.uid, self.terminal.firmware, self.folder)
        self.random.seed(self.terminal.uid)
        self.phase = self.random.uniform(0, 600)
        self.paper_pct = self.random.uniform(20, 100)

    @property
    def identity(self) -> DeviceIdentity:
        return DeviceIdentity(self.terminal.serial, self.terminal.model, self.software.version)

    @property
    def capabilities(self) -> Sequence[str]:
        missing = (*(() if self.has_paper else NEEDS_PAPER), *(("reboot",) if self.is_locked else ()))
        return tuple(name for name in HANDLERS if name not in missing)

    @property
    def is_locked(self) -> bool:
        """Whether it cannot be rebooted from afar: kiosks with the old firmware at one site."""
        return self.software.version == LOCKED_FIRMWARE and self.terminal.site == LOCKED_SITE

    def uptime_s(self) -> float:
        return time.monotonic() - self.started_at

    def restart(self) -> None:
        self.started_at = time.monotonic()
        self.software.restart()

    @property
    def has_run_out_of_memory(self) -> bool:
        """Its software leaks, and nothing is left: it crashes."""
        return self._leaked_pct() >= NO_MEMORY_LEFT_PCT

    def _leaked_pct(self) -> float:
        return self.software.behaviour.leaks_pct_per_hour * self.uptime_s() / 3600

    def jam(self, is_jammed: bool) -> None:
        """Its card reader fails or works again; the event is in the next sample."""
        self.is_jammed = is_jammed
        self.pending.append(_reader_event(is_jammed))

    def sample(self) -> DeviceSample:
        metrics = self.metrics_at(time.monotonic())
        if self.has_paper:
            metrics["paper_pct"] = round(self._use_paper(), 1)
        events = self._problems()
        return DeviceSample(status_of(metrics, is_jammed=self.is_jammed), metrics, events)

    @property
    def has_paper(self) -> bool:
        return self.terminal.kind in WITH_PAPER

    def metrics_at(self, monotonic_s: float) -> dict[str, float]:
        """All but the paper, which is used up."""
        now = monotonic_s + self.phase
        metrics = {
            "cpu_pct": 22 + 14 * math.sin(now / 90) + self.random.gauss(0, 4),
            "memory_pct": min(100.0, 48 + 6 * math.sin(now / 700) + self.random.gauss(0, 0.5) + self._leaked_pct()),
            "disk_pct": 41 + (self.phase % 30),
            "temperature_c": self._temperature(now),
            "link_rtt_ms": self.random.gauss(38, 9),
        }
        return {name: round(max(0.0, value), 1) for name, value in metrics.items()}

    async def handle(self, command: frames.CommandFrame, run: CommandRun) -> CommandOutcome:
        if command.name not in self.capabilities:
            raise UnknownCommand(command.name, self.capabilities)
        return HANDLERS[command.name](self, command.args)

    def ping(self, args: Mapping[str, Any]) -> CommandOutcome:
        return CommandOutcome({"answer": "pong"})

    def reboot(self, args: Mapping[str, Any]) -> CommandOutcome:
        back_at = datetime.now(UTC) + timedelta(seconds=self.random.uniform(*REBOOT_S))
        return CommandOutcome({"back_at": back_at.isoformat()}, frames.GoodbyeFrame("reboot", back_at))

    def collect_logs(self, args: Mapping[str, Any]) -> CommandOutcome:
        return CommandOutcome({"lines": self._log()})

    def logs(self, args: Mapping[str, Any]) -> CommandOutcome:
        return CommandOutcome({"files": 1}, files=[_file("\n".join(self._log()).encode(), ".log", "text/plain")])

    def screenshot(self, args: Mapping[str, Any]) -> CommandOutcome:
        picture = screenshot(self.paper_pct, is_jammed=self.is_jammed)
        return CommandOutcome(files=[_file(picture, ".png", "image/png")])

    def set_volume(self, args: Mapping[str, Any]) -> CommandOutcome:
        """TMS has checked the arguments against the schema in `tms.demo.commands`."""
        channel = args.get("channel", "main")
        before = self.volumes.get(channel, 50)
        self.volumes[channel] = args["level"]
        return CommandOutcome({"channel": channel, "before": before, "level": args["level"]})

    def print_test_page(self, args: Mapping[str, Any]) -> CommandOutcome:
        if self.paper_pct < PAPER_LOW_PCT:
            raise CommandError(f"paper {self.paper_pct:.0f}%: printing is kept for customers; refill it first")
        copies = args.get("copies", 1)
        self.paper_pct -= 0.1 * copies
        return CommandOutcome({"printed": copies, "paper_pct": round(self.paper_pct, 1)})

    def _temperature(self, now: float) -> float:
        base = 44 + 3 * math.sin(now / 200) + self.random.gauss(0, 0.4) + self.heat_c
        if self.personality is not Personality.HOT:
            return base
        # Ten minutes from cool beyond both thresholds and back.
        return base + 36 * max(0.0, math.sin(now / 95))

    def _use_paper(self) -> float:
        rate = 1.2 if self.personality is Personality.THIRSTY else 0.03
        self.paper_pct -= rate * self.random.random()
        if self.paper_pct < self.random.uniform(1, 4):
            self.paper_pct = 100.0  # the paper was replaced
        return self.paper_pct

    def _problems(self) -> tuple[frames.TerminalEvent, ...]:
        if self.personality is Personality.JAMMED and self.random.random() <= (0.06 if self.is_jammed else 0.02):
            self.jam(not self.is_jammed)
        events, self.pending = tuple(self.pending), []
        return events

    def _log(self) -> list[str]:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        return [f"{at} up for {self.uptime_s():.0f} s", f"{at} personality {self.personality}", f"{at} all quiet"]


HANDLERS: Mapping[str, Callable[[DemoDevice, Mapping[str, Any]], CommandOutcome]] = {
    "ping": DemoDevice.ping,
    "reboot": DemoDevice.reboot,
    "collect_logs": DemoDevice.collect_logs,
    "logs": DemoDevice.logs,
    "screenshot": DemoDevice.screenshot,
    "set-volume": DemoDevice.set_volume,
    "print-test-page": DemoDevice.print_test_page,
}
"""The commands of TMS, and those that the demo defines."""
NEEDS_PAPER = ("print-test-page",)


def _file(content: bytes, ending: str, media_type: str) -> FileToSend:
    """The agent deletes it once it is uploaded."""
    with tempfile.NamedTemporaryFile(prefix="tms-demo-", suffix=ending, delete=False) as file:
        file.write(content)
    return FileToSend(Path(file.name), media_type, is_temporary=True)


def status_of(metrics: Mapping[str, float], *, is_jammed: bool = False) -> frames.Status:
    if is_jammed:
        return "fault"
    if metrics["temperature_c"] > 75 or metrics.get("paper_pct", 100.0) < PAPER_LOW_PCT:
        return "degraded"
    return "ok"


def _reader_event(is_jammed: bool) -> frames.TerminalEvent:
    if is_jammed:
        return _event("card_reader_fault", "critical", "card reader does not answer")
    return _event("card_reader_ok", "info", "card reader answers again")


def _event(code: str, severity: frames.Severity, text: str) -> frames.TerminalEvent:
    return frames.TerminalEvent(at=datetime.now(UTC), code=code, severity=severity, text=text)
