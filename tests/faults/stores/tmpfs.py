"""A small file system that can be filled."""

import contextlib
import os
import subprocess
from pathlib import Path

CHUNK = 64 * 1024


def needs_root() -> str:
    return "" if os.geteuid() == 0 else "needs root, to mount a small file system"


class SmallDisk:
    def __init__(self, folder: Path, *, mib: int) -> None:
        self.folder = folder
        self._mib = mib
        self._is_mounted = False

    def mount(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        options = f"size={self._mib}m,mode=755"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tms-faults", self.folder], check=True)
        self._is_mounted = True

    def unmount(self) -> None:
        """Lazily: a process that is about to end may still have a file open."""
        if self._is_mounted:
            subprocess.run(["umount", "--lazy", self.folder], check=True)
            self._is_mounted = False

    def fill(self) -> None:
        """Write until the disk is full."""
        for size in (CHUNK, 1):
            with self._filler.open("ab", buffering=0) as ballast, contextlib.suppress(OSError):
                while True:
                    ballast.write(bytes(size))

    def make_room(self) -> None:
        self._filler.unlink()

    @property
    def _filler(self) -> Path:
        return self.folder / "ballast"
