"""Runs programs of the machine for requests of TMS: as long as they need, with the end of what they write."""

import asyncio
import contextlib
import subprocess
from collections.abc import Sequence

from tms_agent.requests import RequestRefused

MAX_REASON_CHARACTERS = 300
OUTPUT_BYTES = 64 * 1024


class ProgramFailed(RequestRefused):
    """It ended with another status than 0."""


async def run(command: Sequence[str], given: bytes = b"") -> bytes:
    """The end of its standard output. Raises RequestRefused, with the end of what it wrote if it fails."""
    if not command:
        return b""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise RequestRefused(f"{command[0]}: {error.strerror}") from None
    try:
        _, output, errors = await asyncio.gather(
            _write(process.stdin, given), _end_of(process.stdout), _end_of(process.stderr)
        )
        status = await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if status:
        said = (errors.strip() or output.strip()).decode(errors="replace")[-MAX_REASON_CHARACTERS:]
        raise ProgramFailed(f"{command[0]} ended with {status}: {said or 'no output'}")
    return output


async def _write(stream: asyncio.StreamWriter | None, given: bytes) -> None:
    assert stream
    with contextlib.suppress(ConnectionError):  # it need not read
        stream.write(given)
        await stream.drain()
    stream.close()


async def _end_of(stream: asyncio.StreamReader | None) -> bytes:
    output = b""
    while stream and (data := await stream.read(OUTPUT_BYTES)):
        output = (output + data)[-OUTPUT_BYTES:]
    return output
