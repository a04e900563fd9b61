"""Runs one handler, and ends it with all of its children. `python -I -S supervisor.py PROGRAM [ARGUMENT …]`

The first line of standard input is the input of the handler. The end of standard input is the order to end it: it also
comes when the agent dies. Everything that the handler started is ended with it, also what left its process group: on
Linux, orphans become children of this process. Needs the standard library only, because it starts for each command.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

IS_LINUX = sys.platform == "linux"
SIGNALLED = 128
"""The exit code of a handler that a signal ended is this and the signal, as in a shell."""
CANNOT_RUN = 126
READ_BYTES = 65536
NICENESS = 10
"""What the terminal is there for comes first."""
MORE_TASKS = 64
"""Processes and threads that the user of a handler may have beyond those of its start. The superuser has no limit."""
ENDED = b"Z"
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
"""Options of prctl(2)."""


def main(command: Sequence[str]) -> int:
    ignore_signals()
    given = read_line()
    if not given.endswith(b"\n"):
        return CANNOT_RUN  # the agent died meanwhile
    set_process_option(PR_SET_CHILD_SUBREAPER, 1)
    with working_folder() as folder:
        try:
            return run(command, given, folder)
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=sys.stderr)
            return CANNOT_RUN


@contextlib.contextmanager
def working_folder() -> Iterator[str]:
    """A folder of its own. On a full disk there is none, and the handler runs as well: it may be what makes room."""
    with contextlib.ExitStack() as exits:
        folder = os.sep
        with contextlib.suppress(OSError):
            temporary = tempfile.TemporaryDirectory(prefix="tms-agent-", ignore_cleanup_errors=True)
            folder = exits.enter_context(temporary)
        yield folder


def run(command: Sequence[str], given: bytes, folder: str) -> int:
    with memory_file() as file:
        file.write(given)
        file.seek(0)
        process = subprocess.Popen(
            command,
            stdin=file,
            cwd=folder,
            start_new_session=True,
            preexec_fn=limits() if IS_LINUX else None,  # noqa: PLW1509  (there is no other thread yet)
        )
    threading.Thread(target=end_on_order, args=(process,), daemon=True).start()
    try:
        status = wait(process)
    finally:
        end(process)
    return status if status >= 0 else SIGNALLED - status


def memory_file() -> BinaryIO:
    """A file that needs no disk, where the system has them. A pipe would block if nobody reads it."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("input"), "w+b")
    return tempfile.TemporaryFile()


def read_line() -> bytes:
    """Not buffered: the rest belongs to `end_on_order`."""
    line = b""
    while not line.endswith(b"\n") and (read := os.read(0, READ_BYTES)):
        line += read
    return line


def ignore_signals() -> None:
    """A service manager and Ctrl-C signal all processes; the agent decides. The handler gets the defaults again."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)


def end_on_order(process: "subprocess.Popen[bytes]") -> None:
    while os.read(0, READ_BYTES):
        pass
    if process.returncode is None:
        kill(process)


def wait(process: "subprocess.Popen[bytes]") -> int:
    """The status of `process`. Its orphans that ended are released meanwhile."""
    if not IS_LINUX:
        return process.wait()
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == process.pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode


def end(process: "subprocess.Popen[bytes]") -> None:
    """End all that is left of the handler."""
    kill(process)
    # What is no child yet has an ancestor that is, and becomes one when that ancestor is released.
    while IS_LINUX and kill_newest():
        os.waitpid(-1, 0)
        release()


def kill(process: "subprocess.Popen[bytes]") -> None:
    if sys.platform == "win32":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: only zombies are left
        os.killpg(process.pid, signal.SIGKILL)


def kill_newest() -> bool:
    """Kill the child that started last. Returns whether there is a child, which may have ended.

    It is looked for first, and quickly: what forks and ends all the time is gone a moment later.
    """
    has_child = False
    for pid in reversed(processes()):
        state, parent = status_of(pid)
        if parent == os.getpid():
            with contextlib.suppress(PermissionError):  # of another user, as with sudo
                os.kill(pid, signal.SIGKILL)
                has_child = True
                if state != ENDED:
                    return True
    return has_child


def release() -> None:
    """Release the children that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def processes() -> list[int]:
    """Oldest first, unless the numbers started again."""
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208  (takes twice as long)


def status_of(pid: int) -> tuple[bytes, int]:
    """The state and the parent of a process; the parent is 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123  (takes twice as long)
            status = file.read()
    except OSError:
        return b"", 0
    # The name of the program, in parentheses, may contain anything.
    state, parent = status.rpartition(b")")[2].split()[:2]
    return state, int(parent)


def limits() -> Callable[[], None]:
    """A function for the new process, before it becomes the handler. What can fail is done here, before the fork."""
    import resource  # not on Windows

    most = tasks_of(os.geteuid()) + MORE_TASKS
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    tasks = most if hard == resource.RLIM_INFINITY else min(most, hard)

    def limit() -> None:
        os.nice(NICENESS)
        set_process_option(PR_SET_PDEATHSIG, signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NPROC, (tasks, tasks))
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")  # without memory, the handler goes first

    return limit


def tasks_of(user: int) -> int:
    number = 0
    for pid in processes():
        process = Path(f"/proc/{pid}")
        with contextlib.suppress(OSError):
            if process.stat().st_uid == user:
                number += len(list((process / "task").iterdir()))
    return number


def set_process_option(option: int, value: int) -> None:
    if not IS_LINUX:
        return
    # Without it, what left the process group is not ended. A hardened unit may forbid the memory that ctypes needs.
    with contextlib.suppress(ImportError, MemoryError):
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
