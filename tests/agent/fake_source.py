"""A source of readings for tests of the agent."""

from collections.abc import Mapping, Sequence

from tms_agent.device.source import (
    CommandError,
    CommandOutcome,
    CommandRun,
    DeviceIdentity,
    DeviceSample,
    UnknownCommand,
)
from tms_agent.protocol import frames


class FakeSource:
    """A terminal with a number of reports, and further state from a test."""

    identity = DeviceIdentity("S-1", "PX-300", "2.14.1")
    capabilities: Sequence[str] = ("ping", "reboot", "break", "sleep")

    def __init__(self) -> None:
        self.metrics: Mapping[str, float] = {"temperature_c": 40.5}
        self.events: list[frames.TerminalEvent] = []
        self.is_quiet = False

    def uptime_s(self) -> float:
        return 1234.0

    def sample(self) -> DeviceSample | None:
        if self.is_quiet:
            return None
        events, self.events = tuple(self.events), []
        return DeviceSample("ok", self.metrics, events)

    async def handle(self, command: frames.CommandFrame, run: CommandRun) -> CommandOutcome:
        match command.name:
            case "ping":
                return CommandOutcome({"echo": command.args})
            case "reboot":
                return CommandOutcome("going", frames.GoodbyeFrame("reboot"))
            case "break":
                raise CommandError("the lever is stuck; pull it by hand")
            case "sleep":
                raise ZeroDivisionError("a bug")
            case name:
                raise UnknownCommand(name, self.capabilities)
