"""Readings that commands of the customer make: each prints one number."""

import asyncio
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tms_agent.device.programs import ProgramError, output_of
from tms_agent.protocol import limits

log = logging.getLogger("tms_agent")

READING_BYTES = 64


@dataclass(frozen=True, slots=True)
class ProbeCommand:
    command: Sequence[str]
    every_s: float = 60.0
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class ProbeChoices:
    off: frozenset[str] = frozenset()
    """The names of readings that are not wanted."""
    commands: Mapping[str, ProbeCommand] = field(default_factory=dict)
    """The commands by the name of their reading."""


class CommandProbes:
    """Runs each command in a task of its own. A command that fails has no reading until it succeeds again."""

    def __init__(self, commands: Mapping[str, ProbeCommand]) -> None:
        self._commands = commands
        self._readings: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._failures: dict[str, str] = {}

    def read(self) -> Mapping[str, float]:
        """The newest readings. The first call, in the event loop of the agent, starts the commands."""
        if self._commands and not self._tasks:
            loop = asyncio.get_running_loop()
            self._tasks = [loop.create_task(self._repeat(name, probe)) for name, probe in self._commands.items()]
        return dict(self._readings)

    async def _repeat(self, name: str, probe: ProbeCommand) -> None:
        while True:
            await self._run(name, probe)
            await asyncio.sleep(probe.every_s)

    async def _run(self, name: str, probe: ProbeCommand) -> None:
        try:
            output = await output_of(probe.command, within_s=probe.timeout_s, at_most=READING_BYTES)
            self._readings[name] = number_in(output, probe.command[0])
        except ProgramError as error:
            self._readings.pop(name, None)
            # Once for each reason: a printer may be missing for months.
            if self._failures.get(name) != str(error):
                log.warning("no reading %s: %s", name, error)
            self._failures[name] = str(error)
        else:
            self._failures.pop(name, None)


def number_in(output: str, name: str) -> float:
    """Raises ProgramError if TMS would not take it."""
    try:
        value = float(output)
    except ValueError:
        value = math.nan
    if not abs(value) <= limits.METRIC_BOUND:
        raise ProgramError(f"{name} wrote {output!r}; expected one number")
    return value
