"""The client programs of PostgreSQL."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from deploy.backup.failure import BackupFailed


def find(program: str) -> str:
    """The path of a PostgreSQL client program. Debian has them outside PATH, by version. Raises BackupFailed."""
    if found := shutil.which(program):
        return found
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: float(path.parts[-3]))
    if not versions:
        raise BackupFailed(
            f"{program} is not installed (Amazon Linux: dnf install postgresql17; Debian: postgresql-client)"
        )
    return str(versions[-1])


class Program:
    """A PostgreSQL program with pipes. Its stderr goes to a file, so that no pipe fills up unread."""

    def __init__(self, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        self._process, self._errors = process, errors
        self.stderr = ""

    def chunks(self, size: int) -> Iterator[bytes]:
        assert self._process.stdout is not None
        while chunk := self._process.stdout.read(size):
            yield chunk

    def feed(self, chunk: bytes) -> None:
        """Ignores a broken pipe: `finish` reports why the program ended early."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(chunk)

    def finish(self) -> None:
        """Raises CalledProcessError."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        code = self._process.wait()
        self._errors.seek(0)
        self.stderr = self._errors.read().decode(errors="replace")
        if code:
            raise subprocess.CalledProcessError(code, self._process.args, stderr=self.stderr)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str], *, feeds: bool) -> Iterator[Program]:
    """Raises CalledProcessError if it fails; kills it if the block fails."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            env=environment | {"LC_ALL": "C"},
            stdin=subprocess.PIPE if feeds else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if feeds else subprocess.PIPE,
            stderr=errors,
        )
        program = Program(process, errors)
        try:
            yield program
            program.finish()
        finally:
            program.kill()
