"""The simulator of demo terminals as a process."""

import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.processes.tms_process import TmsProcess


class SimulatorProcess(TmsProcess):
    """Demo terminals: real agents in a process without Django; `url` is that of the link."""

    def __init__(self, *, url: str, fleet: Path, terminals: int, folder: Path) -> None:
        super().__init__(environment={}, name="terminals", folder=folder)
        self.port = 0  # it serves nothing
        self._url = url
        self._fleet = fleet
        self._terminals = terminals

    @property
    def url(self) -> str:
        return self._url

    @property
    def arguments(self) -> Sequence[str]:
        return ["--url", self._url, "--fleet", str(self._fleet), "--terminals", str(self._terminals)]

    @property
    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "tms.demo", *self.arguments]

    def answers(self) -> bool:
        return self.is_running
