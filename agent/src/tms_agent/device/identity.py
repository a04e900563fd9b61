"""Where serial number, model and firmware of the machine come from."""

import asyncio
import logging
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tms_agent.device.programs import ProgramError, output_of
from tms_agent.device.source import DeviceIdentity

log = logging.getLogger("tms_agent")

MEMBERS = ("serial", "model", "firmware")
IDENTITY, SOFTWARE = "identity.", "software."
COMMAND_S = 10.0
FILE_BYTES = 4096
HARDWARE = {
    "serial": ("sys/class/dmi/id/product_serial", "proc/device-tree/serial-number", "sys/class/dmi/id/board_serial"),
    "model": ("sys/class/dmi/id/product_name", "proc/device-tree/model", "sys/class/dmi/id/board_name"),
    "firmware": ("sys/class/dmi/id/bios_version",),
}
"""Files of Linux: the DMI of a PC, and the device tree of most other boards."""
PLACEHOLDERS = {
    *("", "0", "none", "n/a", "default string", "not specified", "not applicable", "system serial number"),
    *("to be filled by o.e.m.", "system product name", "0123456789", "123456789", "unknown", "oem"),
}
"""What makers of boards leave in the DMI, in lower case: thousands of machines have it."""


@dataclass(frozen=True, slots=True)
class IdentitySource:
    """One of these."""

    text: str = ""
    file: Path | None = None
    command: Sequence[str] = ()
    is_hardware: bool = False


@dataclass(slots=True)
class Identity:
    """A member without a source is what the operating system says of itself: host name, system, kernel.

    A source that fails gives an empty member, which is unknown: a wrong serial number would be another device.
    """

    sources: Mapping[str, IdentitySource] = field(default_factory=dict)
    software: Mapping[str, IdentitySource] = field(default_factory=dict)
    root: Path = Path("/")
    _of_commands: dict[str, str] = field(default_factory=dict)
    _faults: dict[str, str] = field(default_factory=dict)
    """What was logged."""

    async def run_commands(self) -> None:
        """Once, before the agent starts: `read` may not wait for them."""
        named = {name: source.command for name, source in self._all.items() if source.command}
        found = await asyncio.gather(*(self._output(name, command) for name, command in named.items()))
        self._of_commands = dict(zip(named, found, strict=True))

    def read(self) -> DeviceIdentity:
        found = {name: self._member(name, source) for name, source in self._all.items()}
        members = of_system() | {name: found[f"{IDENTITY}{name}"] for name in self.sources}
        versions = {name: found[f"{SOFTWARE}{name}"] for name in self.software}
        return DeviceIdentity(**members, software={name: version for name, version in versions.items() if version})

    @property
    def _all(self) -> Mapping[str, IdentitySource]:
        """All sources, by the names of their settings."""
        members = {f"{IDENTITY}{name}": source for name, source in self.sources.items()}
        return members | {f"{SOFTWARE}{name}": source for name, source in self.software.items()}

    def _member(self, name: str, source: IdentitySource) -> str:
        if source.command:
            return self._of_commands.get(name, "")
        if source.file:
            return self._text_of(source.file, name)
        return self._of_hardware(name) if source.is_hardware else source.text

    async def _output(self, name: str, command: Sequence[str]) -> str:
        try:
            return first_line(await output_of(command, within_s=COMMAND_S))
        except ProgramError as error:
            return self._unknown(name, str(error))

    def _text_of(self, path: Path, name: str) -> str:
        try:
            return first_line(read_start(path))
        except OSError as error:
            return self._unknown(name, f"{path}: {error.strerror}")

    def _of_hardware(self, name: str) -> str:
        reasons = []
        for file in HARDWARE[name.removeprefix(IDENTITY)]:
            path = self.root / file
            try:
                found = first_line(read_start(path))
            except OSError as error:
                reasons.append(f"{path}: {error.strerror}")
                continue
            if found.lower() not in PLACEHOLDERS:
                return found
            reasons.append(f"{path} has no value of its own: {found!r}")
        return self._unknown(name, "; ".join(reasons))

    def _unknown(self, name: str, reason: str) -> str:
        """Log the reason once, not at each connection."""
        if self._faults.get(name) != reason:
            log.error("%s is unknown: %s", name, reason)
        self._faults[name] = reason
        return ""


def of_system() -> dict[str, str]:
    system = f"{platform.system()} {platform.machine()}"
    return {"serial": platform.node(), "model": system, "firmware": platform.release()}


def read_start(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(FILE_BYTES).decode(errors="replace")


def first_line(text: str) -> str:
    """The first line that is not empty. A text of the device tree ends with U+0000."""
    lines = text.replace("\0", "\n").strip().splitlines()
    return lines[0].strip() if lines else ""
