"""Clients that are programs, started with a command line."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from tms_agent.conformance.terminal import Client, Start

LOG = "client.log"
LAST_LINES = 20


class Process:
    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.ended: asyncio.Future[str] = asyncio.ensure_future(self._end(process))
        self._process = process
        self._log = log

    def stop(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()

    def kill(self) -> None:
        """End it at once, and all that it started."""
        if sys.platform != "win32":
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return
        elif self._process.returncode is None:
            self._process.kill()

    def log(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-LAST_LINES:])

    async def _end(self, process: asyncio.subprocess.Process) -> str:
        return f"status {await process.wait()}"


def starter(command: Sequence[str]) -> Start:
    """`{url}`, `{credential}` and `{folder}` in the command are replaced, and are in the environment, too."""

    async def start(url: str, credential: str, folder: Path) -> Client:
        values = {"url": url, "credential": credential, "folder": str(folder)}
        with open_log(folder) as log:
            process = await asyncio.create_subprocess_exec(
                *(_filled(part, values) for part in command),
                env={**os.environ, **{f"TMS_{name.upper()}": value for name, value in values.items()}},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return Process(process, folder / LOG)

    return start


def open_log(folder: Path) -> BinaryIO:
    folder.mkdir(exist_ok=True)
    return (folder / LOG).open("ab")


def _filled(part: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        part = part.replace(f"{{{name}}}", value)
    return part
