"""A server process on a loopback port, stopped at the end."""

import contextlib
import ctypes
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

HOST = "127.0.0.1"
START_DEADLINE_S = 60
LOG_TAIL = 4_000
"""Characters of a log that an error shows."""


def free_port() -> int:
    """A port that the kernel gives no other process for a minute, in which a server can bind to it.

    The side of a connection that closes first stays in TIME_WAIT. A port that was only looked up may be that of another
    process before its server has started.
    """
    with socket.create_server((HOST, 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        accepted, _ = listener.accept()
        accepted.close()
        client.recv(1)  # the end: it was closed there
        return int(listener.getsockname()[1])


class StartFailed(RuntimeError):
    """A service exited or did not answer in time; the message has the end of its log."""


class Startable(ABC):
    """Started on entry and stopped at the end, when its folder is removed unless it was given."""

    folder: Path
    keeps_folder: bool

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            undo.callback(self.__exit__)
            self.start()
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if not self.keeps_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def stop(self) -> None: ...


class Service(Startable):
    """A process that can be stopped, killed, paused and started again on the same port and data.

    Without `folder` it uses a temporary one, which is removed at the end.
    """

    stop_signal = signal.SIGTERM
    stop_deadline_s = 10.0
    ends_with_parent = False
    """Whether the kernel stops it when the thread that launched it ends, even by SIGKILL."""

    def __init__(self, *, name: str = "", folder: Path | None = None, port: int | None = None) -> None:
        self.name = name or type(self).__name__.lower()
        self.port = port or free_port()
        self.keeps_folder = folder is not None
        self.folder = folder or Path(tempfile.mkdtemp(prefix=f"tms-{self.name}-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @property
    @abstractmethod
    def command(self) -> Sequence[str]: ...

    @abstractmethod
    def answers(self) -> bool: ...

    def start(self) -> None:
        """Raises StartFailed."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start the process without waiting until it answers."""
        self.log.touch(0o600)
        with self.log.open("ab") as log:
            self.process = self.spawn(self.command, stdout=log, stderr=log)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_DEADLINE_S
        while not self.answers():
            if not self.is_running or time.monotonic() > deadline:
                raise StartFailed(f"{self.name} did not start:\n{self.log.read_text()[-LOG_TAIL:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        self.request_stop()
        self.wait_until_ended()

    def kill(self) -> None:
        """SIGKILL."""
        self._signal(signal.SIGKILL)
        self.wait_until_ended()

    def pause(self) -> None:
        """SIGSTOP: it keeps its sockets but does nothing, like a process that hangs."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def request_stop(self) -> None:
        self._signal(self.stop_signal)
        self._signal(signal.SIGCONT)  # a paused process receives nothing else

    def wait_until_ended(self) -> None:
        """Kills it after `stop_deadline_s`."""
        if self.process is None:
            return
        try:
            self.process.wait(self.stop_deadline_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def spawn(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        if self.ends_with_parent and sys.platform == "linux":
            options["preexec_fn"] = partial(_end_with_parent, self.stop_signal)
        # A group of its own: Ctrl-C reaches only the parent, which stops its services in order. Not a session of its
        # own: Linux shares processors between sessions first, and priorities would only count inside each server.
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0, **options)

    def _signal(self, which: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(which)


PR_SET_PDEATHSIG = 1


def _end_with_parent(how: signal.Signals) -> None:
    """Runs in the child before exec (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, how)
