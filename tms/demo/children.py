"""Processes beside the server that end with it, even when it is killed."""

import contextlib
import ctypes
import signal
import subprocess
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
STOP_DEADLINE_S = 3.0


class Children:
    """Started together, stopped together."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, module: str, *arguments: str) -> None:
        command: Sequence[str] = (sys.executable, "-m", module, *arguments)
        die_with_parent = _die_with_parent if sys.platform == "linux" else None
        self._running.append(
            subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)  # noqa: PLW1509
        )

    def stop(self) -> None:
        """Let each say goodbye, and end those that take too long."""
        for child in self._running:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
        for child in self._running:
            try:
                child.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _die_with_parent() -> None:
    """Runs in the child before exec: the kernel ends it when the thread that started it ends (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
