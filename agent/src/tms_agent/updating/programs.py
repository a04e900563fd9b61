"""Installs updates by programs of the machine, such as swupdate, RAUC, msiexec or the customer's own script."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tms_agent.programs import run
from tms_agent.updating.manifest import Manifest


@dataclass(frozen=True)
class Programs:
    """Command lines; `{path}` and `{version}` take the file and the version of the update."""

    install_command: Sequence[str]
    confirm_command: Sequence[str] = ()
    roll_back_command: Sequence[str] = ()
    restart_command: Sequence[str] = ()
    """Runs once the agent has said goodbye; by default the agent only ends, and its service starts it again."""

    async def install(self, file: Path, manifest: Manifest) -> None:
        """Raises RequestRefused."""
        given = {"{path}": str(file), "{version}": manifest.version}
        await run([_filled(part, given) for part in self.install_command])

    async def confirm(self) -> None:
        await run(self.confirm_command)

    async def roll_back(self) -> None:
        await run(self.roll_back_command)


def _filled(part: str, given: dict[str, str]) -> str:
    for name, value in given.items():
        part = part.replace(name, value)
    return part
