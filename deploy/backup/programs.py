import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from deploy.backup.failure import BackupFailed


def find(program: str) -> str:
    """Of PostgreSQL's client. Debian keeps it off the PATH, by version. Raises Failed."""
    if found := shutil.which(program):
        return found
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: float(path.parts[-3]))
    if not versions:
        raise BackupFailed(
            f"{program} is not installed (Amazon Linux: dnf install postgresql17; Debian: postgresql-client)"
        )
    return str(versions[-1])


class Program:
    """One of PostgreSQL's, between pipes. What it complains of goes to a file, so that no pipe fills up unread."""

    def __init__(self, process: subprocess.Popen[bytes], complaints: IO[bytes]) -> None:
        self._process, self._complaints = process, complaints
        self.said = ""

    def pieces(self, size: int) -> Iterator[bytes]:
        assert self._process.stdout is not None
        while piece := self._process.stdout.read(size):
            yield piece

    def feed(self, piece: bytes) -> None:
        """A program that ended early says why when it is awaited."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(piece)

    def finish(self) -> None:
        """Raises CalledProcessError."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        code = self._process.wait()
        self._complaints.seek(0)
        self.said = self._complaints.read().decode(errors="replace")
        if code:
            raise subprocess.CalledProcessError(code, self._process.args, stderr=self.said)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str], *, feeds: bool) -> Iterator[Program]:
    """Raises CalledProcessError when it ends badly; killed when what is done with it fails."""
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            command,
            env=environment | {"LC_ALL": "C"},
            stdin=subprocess.PIPE if feeds else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if feeds else subprocess.PIPE,
            stderr=complaints,
        )
        program = Program(process, complaints)
        try:
            yield program
            program.finish()
        finally:
            program.kill()
