import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

from deploy.backup.failure import EXPECTED, BackupFailed, Busy, sentence

type Say = Callable[[str], None]
"""Adds what was found to the line of a step."""


class Steps:
    """A line for each step, with its time: for who watches, and for who reads the log the next morning."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._began = time.monotonic()

    @contextmanager
    def __call__(self, what: str) -> Iterator[Say]:
        """Raises Failed, with the name of the step."""
        found: list[str] = []
        began = time.monotonic()
        try:
            yield found.append
        except Busy:
            raise
        except EXPECTED as error:
            self.say(f"{what}: FAILED")
            raise BackupFailed(f"{what}: {sentence(error)}") from error
        told = f": {', '.join(found)}" if found else ""
        self.say(f"{what}{told} ({time.monotonic() - began:.1f} s)")

    def say(self, text: str) -> None:
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
