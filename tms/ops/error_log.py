"""A file of errors that several processes of one machine may share."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

MAX_BYTES = 10 * 1024 * 1024
BACKUPS = 10


class ErrorLog(RotatingFileHandler):
    """A rotating file of MAX_BYTES, with BACKUPS older ones.

    Python's own handler loses lines when two processes rotate it. The first error opens the file. A process that
    notices a rotation by another one opens the new file.
    """

    def __init__(self, path: str, *, most_bytes: int = MAX_BYTES, backups: int = BACKUPS) -> None:
        super().__init__(path, maxBytes=most_bytes, backupCount=backups, encoding="utf-8", delay=True)

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802  (the standard library's name)
        self._follow()
        return bool(super().shouldRollover(record))

    def doRollover(self) -> None:  # noqa: N802
        with self._lock():
            if not self._follow():
                super().doRollover()

    def _follow(self) -> bool:
        """Whether our open file is no longer the one at the path; then the new one is opened."""
        if self.stream is None or self._is_current(self.stream.fileno()):
            return False
        self.stream.close()
        self.stream = self._open()
        return True

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), Path(self.baseFilename).stat())
        except FileNotFoundError:
            return False

    @contextmanager
    def _lock(self) -> Iterator[None]:
        folder = os.open(Path(self.baseFilename).parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
