"""Runs a handler as a process, and reads what it writes: bounded, and never faster than it can be used."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tms_agent.commands import supervisor
from tms_agent.commands.results import MAX_RESULT_BYTES
from tms_agent.device.source import CommandError, CommandRun
from tms_agent.log import Log

LINES_LOGGED = 100
"""The first of a run. The rest is read and ignored."""
LINE_BYTES = 300
LOG_BYTES_S = 256 * 1024
"""How fast a log is read. A handler that writes faster waits."""
READ_BYTES = 16 * 1024
END_S = 5.0
"""The time in which a handler that was ended must be gone."""
PROGRESS = re.compile(r"progress: *(?:(\d{1,3})%?(?: +|$))?(.*)")
KEPT_VARIABLES = ("HOME", "LANG", "LC_ALL", "PATH", "PYTHONPATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "TZ", "USER")
"""No others: the agent's environment may have its credential."""
RESULT_PATH = "TMS_RESULT_PATH"


class Ended(NamedTuple):
    status: int
    """Negative: the signal that ended it."""
    output: bytes
    last_line: str
    """The last line of its log."""


class HandlerProcess:
    """A handler and its supervisor, which ends it when its standard input is closed."""

    def __init__(self, process: asyncio.subprocess.Process, name: str, run: CommandRun, log: Log) -> None:
        self._process = process
        self._name = name
        self._run = run
        self._log = log
        self._is_ending = False
        self._has_too_much = False
        self._last_line = ""
        self._lines = 0

    async def ended(self) -> Ended:
        """Raises CommandError if it wrote too much. If this is cancelled, the handler is ended."""
        reading = asyncio.ensure_future(self._read())
        try:
            output = await asyncio.shield(reading)
        except BaseException:
            self._end()
            await asyncio.wait({reading}, timeout=END_S)
            if not reading.done():
                self._log.error("command %s: its handler does not end", self._name)
            raise
        if self._has_too_much:
            raise CommandError(f"{self._name} wrote more than {MAX_RESULT_BYTES} bytes and was ended")
        status = self._process.returncode or 0
        if supervisor.SIGNALLED < status < supervisor.SIGNALLED + signal.NSIG:
            status = supervisor.SIGNALLED - status
        return Ended(status, output, self._last_line)

    def _end(self) -> None:
        self._is_ending = True
        if self._process.stdin:
            self._process.stdin.close()

    async def _read(self) -> bytes:
        output, _ = await asyncio.gather(self._read_output(), self._read_log())
        await self._process.wait()
        self._end()
        return output

    async def _read_output(self) -> bytes:
        """Reads to the end also if it is too much: the process cannot be waited for otherwise."""
        output = bytearray()
        async for data in _chunks(self._process.stdout):
            if self._has_too_much:
                continue
            output += data
            if len(output) > MAX_RESULT_BYTES:
                self._has_too_much = True
                self._end()
        return bytes(output)

    async def _read_log(self) -> None:
        rest = b""
        async for data in _chunks(self._process.stderr):
            *lines, rest = (rest + data).split(b"\n")
            rest = rest[:LINE_BYTES]
            for line in lines:
                self._take_line(line)
            if not self._is_ending:
                await asyncio.sleep(len(data) / LOG_BYTES_S)
        self._take_line(rest)

    def _take_line(self, data: bytes) -> None:
        line = data[:LINE_BYTES].decode(errors="replace").strip()
        if not line:
            return
        if progress := PROGRESS.fullmatch(line):
            percent, text = progress.groups()
            self._run.progress(min(int(percent), 100) if percent else None, text)
            return
        self._last_line = line
        self._lines += 1
        if self._lines <= LINES_LOGGED:
            self._log.info("%s: %s", self._name, line)
        elif self._lines == LINES_LOGGED + 1:
            self._log.warning("%s: further lines are not logged", self._name)


async def start(command: Sequence[str], given: bytes, *, name: str, run: CommandRun, log: Log) -> HandlerProcess:
    """`given` is one line of JSON."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", supervisor.__file__, *command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(run.result_file),
    )
    if process.stdin:
        process.stdin.write(given + b"\n")
    return HandlerProcess(process, name, run, log)


def environment(result_file: Path | None) -> Mapping[str, str]:
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {"PATH": os.defpath, **kept, **({RESULT_PATH: str(result_file)} if result_file else {})}


async def _chunks(stream: asyncio.StreamReader | None) -> AsyncIterator[bytes]:
    while stream and (data := await stream.read(READ_BYTES)):
        yield data
