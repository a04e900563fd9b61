"""Child processes of the server that end with it, even when it is killed."""

import contextlib
import ctypes
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
STOP_DEADLINE_S = 3.0


class Children:
    """Started and stopped together. Their output goes to `log`."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, module: str, *arguments: str) -> None:
        command: Sequence[str] = (sys.executable, "-m", module, *arguments)
        die_with_parent = _die_with_parent if sys.platform == "linux" else None
        with self._log.open("ab") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509  (one call into the kernel, no Python lock)
            )
        self._running.append(child)

    def request_stop(self) -> None:
        """Ask each to say goodbye; returns at once."""
        for child in self._running:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """End those that take too long."""
        self.request_stop()
        for child in self._running:
            try:
                child.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _die_with_parent() -> None:
    """Runs in the child before exec: the kernel ends it when the thread that started it ends (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
