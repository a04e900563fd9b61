"""The steps of a backup, as they are printed."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

from deploy.backup.failure import EXPECTED, BackupFailed, BackupInProgress, one_line

type AddNote = Callable[[str], None]
"""Adds a note to the line of a step."""


class Steps:
    """Prints a line for each step, with its notes and its duration."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._began = time.monotonic()

    @contextmanager
    def __call__(self, what: str) -> Iterator[AddNote]:
        """Raises BackupFailed, with the name of the step."""
        found: list[str] = []
        began = time.monotonic()
        try:
            yield found.append
        except BackupInProgress:
            raise
        except EXPECTED as error:
            self.log(f"{what}: FAILED")
            raise BackupFailed(f"{what}: {one_line(error)}") from error
        findings = f": {', '.join(found)}" if found else ""
        self.log(f"{what}{findings} ({time.monotonic() - began:.1f} s)")

    def log(self, text: str) -> None:
        print(f"{datetime.now(UTC):%H:%M:%SZ}  {text}", file=self._out, flush=True)

    @property
    def took(self) -> str:
        return f"{time.monotonic() - self._began:.1f} s"


def size(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
