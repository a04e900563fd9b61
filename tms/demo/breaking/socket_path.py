"""Where the control socket is."""

import os
import tempfile
from pathlib import Path

MAX_BYTES = 103
"""The longest path of a Unix socket in bytes: 103 on macOS, 107 on Linux."""
NAME = "demo.sock"


class ControlSocket:
    """The control socket in `folder`; if its path would be too long, in a temporary folder that only this user can
    open.
    """

    def __init__(self, folder: Path) -> None:
        self._temporary = None if fits(folder) else tempfile.TemporaryDirectory(prefix="tms-")
        self.path = (Path(self._temporary.name) if self._temporary else folder) / NAME

    def remove(self) -> None:
        if self._temporary:
            self._temporary.cleanup()


def fits(folder: Path) -> bool:
    return len(os.fsencode(folder / NAME)) <= MAX_BYTES
