"""The state of the running agent, for `tms-agent status`: a Unix socket beside the spool answers with it.

A socket costs no write to the disk, is never out of date, and its silence means that no agent runs.
"""

import asyncio
import contextlib
import json
import logging
import socket
import sys
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from tms_agent.device.clock import utc_now
from tms_agent.storage.state import AgentPhase, AgentState

log = logging.getLogger("tms_agent")

ANSWER_S = 5.0
ANSWER_BYTES = 64 * 1024


class Report(NamedTuple):
    """What the agent says of itself; instants are in ISO 8601 by the system clock."""

    phase: str
    since: str
    session: int
    waiting: int
    """Reports that TMS has not acknowledged."""
    last_error: str
    last_error_at: str

    @property
    def is_connected(self) -> bool:
        return self.phase == AgentPhase.CONNECTED.value

    @property
    def sentences(self) -> list[str]:
        now = {"connected": f"connected since {self.since}, session {self.session}"}
        said = [now.get(self.phase, f"not connected ({self.phase}) since {self.since}")]
        said.append(f"{self.waiting} reports wait to be acknowledged by TMS")
        if self.last_error:
            said.append(f"last error, {self.last_error_at}: {self.last_error}")
        return said


class Status:
    """Follows the agent."""

    def __init__(self, *, waiting: Callable[[], int], now: Callable[[], datetime] = utc_now) -> None:
        self._waiting = waiting
        self._now = now
        self._state = AgentState()
        self._since = self._error_at = now()

    def changed(self, state: AgentState) -> None:
        if state.is_connected != self._state.is_connected:
            self._since = self._now()
        if state.phase is AgentPhase.WAITING:
            self._error_at = self._now()
        self._state = state

    def report(self) -> Report:
        state = self._state
        at = [f"{instant:%Y-%m-%d %H:%M:%S} UTC" for instant in (self._since, self._error_at)]
        error_at = at[1] if state.last_error else ""
        return Report(state.phase.value, at[0], state.session, self._waiting(), state.last_error, error_at)


def socket_of(spool: Path) -> Path:
    return spool.with_name(f"{spool.name}.socket")


@contextlib.asynccontextmanager
async def answering(path: Path, status: Status) -> AsyncIterator[None]:
    """Answer each connection to the socket. Without one, as on Windows, the agent runs all the same."""
    if sys.platform == "win32":
        yield
        return

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(json.dumps(status.report()._asdict()).encode())
            await writer.drain()
        writer.close()

    async with contextlib.AsyncExitStack() as exits:
        if channel := listen(path):
            exits.callback(discard, path)
            exits.callback((await asyncio.start_unix_server(answer, sock=channel)).close)
        yield


def listen(path: Path) -> "socket.socket | None":
    channel = socket.socket(socket.AF_UNIX)
    try:
        discard(path)  # of an agent that was killed: two cannot share a spool
        channel.bind(str(path))
        path.chmod(0o600)
    except OSError as error:
        channel.close()
        log.warning("`tms-agent status` will not work: %s: %s", path, error)
        return None
    return channel


def discard(path: Path) -> None:
    path.unlink(missing_ok=True)


def ask(path: Path) -> Report | None:
    """What the agent with this socket answers; None if none runs, or it does not answer. Raises PermissionError."""
    if sys.platform == "win32":
        return None
    try:
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(ANSWER_S)
            channel.connect(str(path))
            with channel.makefile("rb") as file:
                return Report(**json.loads(file.read(ANSWER_BYTES)))
    except PermissionError:
        raise
    except (OSError, ValueError, TypeError):
        return None
