"""The software and configuration of a simulated device.

Updates are real up to the installation: signature, download and checks are those of the agent. The content of an
artifact is JSON that says how the device behaves with it.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from tms.demo.behaviour import Behaviour
from tms_agent.configuring.configurator import AppliedConfiguration
from tms_agent.management import ManagementSettings
from tms_agent.requests import RequestRefused
from tms_agent.storage import documents
from tms_agent.updating.manifest import Manifest, PublicKeys
from tms_agent.updating.updater import UpdateSettings

FORMATS = ("swu", "apk")
CONFIRM_WITHIN_S = 120.0
UNDO_AFTER_S = 60.0
AWAY_S = (15.0, 40.0)
"""How long an update restarts it."""
REFUSED_THEMES = ("summer-2019",)
"""Values of `display.theme` that are not installed."""


@dataclass(slots=True)
class SimulatedSoftware:
    """What is installed on one device, and what it becomes with the next restart."""

    uid: str
    version: str
    folder: Path | None = None
    behaviour: Behaviour = field(default_factory=Behaviour)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    is_stuck: bool = False
    """It does not come back from its next restart."""
    _next: tuple[str, Behaviour] | None = None

    def __post_init__(self) -> None:
        if stored := documents.read(self._file) if self.folder else None:
            self.version, self.behaviour = stored["version"], msgspec.convert(stored["behaviour"], Behaviour)

    def restart(self) -> None:
        if self._next:
            (self.version, self.behaviour), self._next = self._next, None
            if self.folder:
                documents.write(self._file, {"version": self.version, "behaviour": msgspec.to_builtins(self.behaviour)})

    async def apply(self, values: Mapping[str, Any]) -> AppliedConfiguration:
        self.configuration = values
        if values.get("display.theme") in REFUSED_THEMES:
            return AppliedConfiguration({"display.theme": "this theme is not installed"})
        return AppliedConfiguration()

    # An installer of the agent

    @property
    def restart_command(self) -> Sequence[str]:
        return ()

    async def install(self, file: Path, manifest: Manifest) -> None:
        """Raises RequestRefused."""
        behaviour = read(file)
        await asyncio.sleep(behaviour.install_s)
        draw = Random(f"{self.uid} {manifest.version}").random  # the same device behaves the same
        if draw() < behaviour.fails:
            raise RequestRefused("the boot partition could not be written")
        self.is_stuck = draw() < behaviour.stays_away
        if draw() >= behaviour.lies:
            self._next = manifest.version, behaviour

    async def confirm(self) -> None:
        """The device has started with it already."""

    async def roll_back(self) -> None:
        """It has only one partition."""

    @property
    def _file(self) -> Path:
        assert self.folder
        return self.folder / "installed.json"


def read(file: Path) -> Behaviour:
    """Raises RequestRefused."""
    try:
        return msgspec.convert(json.loads(file.read_text()), Behaviour)
    except (ValueError, msgspec.ValidationError) as error:
        raise RequestRefused(f"not software of a simulated device: {error}") from None


def management_of(software: SimulatedSoftware, keys: PublicKeys) -> ManagementSettings:
    """What TMS may change on the device; nothing without a folder."""
    if software.folder is None:
        return ManagementSettings()
    updates = UpdateSettings(software.folder, keys, dict.fromkeys(FORMATS, software), confirm_within_s=CONFIRM_WITHIN_S)
    return ManagementSettings(
        software.folder, software.apply, undo_after_s=UNDO_AFTER_S, updates=updates if keys else None
    )
