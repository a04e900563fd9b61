"""Runs a program of the customer, with limits of time and output, and without blocking the event loop."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tms_agent.timeouts import timeout

OUTPUT_BYTES = 4096
END_S = 1.0
"""The time in which a program that was killed must be gone."""


class ProgramError(Exception):
    """It did not run, or not to a good end; the message names it and gives the reason."""


async def output_of(command: Sequence[str], *, within_s: float, at_most: int = OUTPUT_BYTES) -> str:
    """What it writes to its standard output, without space around it. Raises ProgramError."""
    name = command[0]
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=environment(),
        )
    except (OSError, ValueError) as error:
        raise ProgramError(f"{name}: {getattr(error, 'strerror', None) or error}") from None
    try:
        async with timeout(within_s):
            return await _finished(process, name, at_most)
    except TimeoutError:
        raise ProgramError(f"{name} did not end within {within_s:g} s") from None
    finally:
        await _end(process)


def environment() -> Mapping[str, str]:
    """That of the agent without its settings, which may contain the credential."""
    return {name: value for name, value in os.environ.items() if not name.lower().startswith("tms_agent_")}


async def _finished(process: asyncio.subprocess.Process, name: str, at_most: int) -> str:
    assert process.stdout
    written = await process.stdout.read(at_most + 1)
    while len(written) <= at_most and (more := await process.stdout.read(at_most)):
        written += more
    if len(written) > at_most:
        raise ProgramError(f"{name} wrote more than {at_most} bytes")
    if status := await process.wait():
        raise ProgramError(f"{name} ended with {status}")
    return written.decode(errors="replace").strip()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Also what it started: its pipe would stay open, and the next run would add to it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    try:
        async with timeout(END_S):
            # asyncio waits for the end of the pipe, too, which it does not see while nobody reads.
            while process.stdout and await process.stdout.read(OUTPUT_BYTES):
                pass
            await process.wait()
    except TimeoutError:
        # What it started left the group, and still has the pipe.
        process._transport.close()  # type: ignore[attr-defined]
