"""Commands of the customer's own: executables in a folder, and Python entry points. Both run as processes."""

import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tms_agent.commands import entry, process
from tms_agent.commands.folder import NAME, HandlerFolder
from tms_agent.commands.process import Ended
from tms_agent.commands.results import read_result_file, result_of
from tms_agent.device.source import CommandError, CommandRun
from tms_agent.log import Log
from tms_agent.protocol import json_text
from tms_agent.protocol.frames import CommandFrame

MOST = 50
"""TMS takes 64 commands of a terminal, and the agent has some itself."""


class OwnCommands:
    """A file wins over an entry point of the same name."""

    def __init__(self, folder: Path | None, log: Log) -> None:
        self._folder = HandlerFolder(folder, log) if folder else None
        self._entries = [name for name in entry.found() if NAME.fullmatch(name)]
        self._log = log

    def names(self) -> Sequence[str]:
        files = self._folder.names() if self._folder else []
        names = sorted({*files, *self._entries})
        if len(names) > MOST:
            self._log.warning("%s commands of this machine's own; only the first %s are offered", len(names), MOST)
        return names[:MOST]

    def find(self, name: str) -> Sequence[str]:
        """The program to run; empty without one. Raises CommandError if it must not be run."""
        if self._folder and (file := self._folder.find(name)):
            return [str(file.absolute())]
        return [sys.executable, "-m", entry.__name__, name] if name in self._entries else []

    async def run(self, program: Sequence[str], command: CommandFrame, run: CommandRun) -> Any:
        """The result. Raises CommandError. Cancelled, it ends the handler and all its children."""
        given = json_text.encode(command.args)
        handler = await process.start(program, given, name=command.name, run=run, log=self._log)
        return _result(command.name, await handler.ended(), run)


def _result(name: str, ended: Ended, run: CommandRun) -> Any:
    if ended.status > 0:
        raise CommandError(f"{name} ended with {ended.status}: {ended.last_line or 'it gave no reason'}")
    written = read_result_file(run.result_file)
    if ended.status < 0 and not written:
        raise CommandError(f"{name} was ended by {_name_of_signal(-ended.status)}")
    return result_of(written or ended.output)


def _name_of_signal(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
