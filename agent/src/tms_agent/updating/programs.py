"""Installs updates by programs of the machine, such as swupdate, RAUC, msiexec or the customer's own script."""

import asyncio
import contextlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tms_agent.requests import RequestRefused
from tms_agent.updating.manifest import Manifest

MAX_REASON_CHARACTERS = 300
OUTPUT_BYTES = 64 * 1024


@dataclass(frozen=True)
class Programs:
    """Command lines; `{path}` and `{version}` take the file and the version of the update."""

    install_command: Sequence[str]
    confirm_command: Sequence[str] = ()
    roll_back_command: Sequence[str] = ()

    async def install(self, file: Path, manifest: Manifest) -> None:
        """Raises RequestRefused."""
        given = {"{path}": str(file), "{version}": manifest.version}
        await run([_filled(part, given) for part in self.install_command])

    async def confirm(self) -> None:
        await run(self.confirm_command)

    async def roll_back(self) -> None:
        await run(self.roll_back_command)


async def run(command: Sequence[str]) -> None:
    """Raises RequestRefused with the end of its output."""
    if not command:
        return
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as error:
        raise RequestRefused(f"{command[0]}: {error.strerror}") from None
    try:
        output = await _end_of_output(process)
        status = await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if status:
        said = output.decode(errors="replace").strip()[-MAX_REASON_CHARACTERS:]
        raise RequestRefused(f"{command[0]} ended with {status}: {said or 'no output'}")


async def _end_of_output(process: asyncio.subprocess.Process) -> bytes:
    output = b""
    assert process.stdout
    while data := await process.stdout.read(OUTPUT_BYTES):
        output = (output + data)[-OUTPUT_BYTES:]
    return output


def _filled(part: str, given: dict[str, str]) -> str:
    for name, value in given.items():
        part = part.replace(name, value)
    return part
