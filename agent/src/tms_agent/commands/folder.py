"""A folder of handlers: each executable in it is a command, named like the file without its suffix."""

import os
import re
import stat
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tms_agent.device.source import CommandError
from tms_agent.log import Log

NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
"""The name of a command, as TMS takes it."""
FILE_NAME = re.compile(rf"({NAME.pattern})(?:\.[a-z0-9]{{1,8}})?")
WINDOWS_SUFFIXES = (".exe", ".cmd", ".bat")
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class HandlerFolder:
    """Handlers may be added, replaced and removed at any time. Each is checked when it is listed and when it runs."""

    def __init__(self, path: Path, log: Log) -> None:
        self._path = path
        self._log = log
        self._complaints: set[str] = set()

    def names(self) -> list[str]:
        """The commands that may be run now. Why a file is left out is logged once."""
        return [name for name, path in self._files().items() if not self._complain(_fault_in(path))]

    def find(self, name: str) -> Path | None:
        """The handler of a command; None if there is no such file. Raises CommandError if it must not be run."""
        path = self._files().get(name)
        if path and (fault := _fault_in(path)):
            raise CommandError(fault)
        return path

    def _files(self) -> Mapping[str, Path]:
        try:
            paths = sorted(self._path.iterdir())
            fault = _fault_of_owner(self._path, self._path.stat())
        except OSError as error:
            paths, fault = [], f"{self._path}: {error.strerror}"
        if self._complain(fault):
            return {}
        names = Counter(_name_of(path) for path in paths)
        for path in paths:
            if not _name_of(path):
                self._complain(f"{path}: expected a name such as set_volume.sh, of a-z, 0-9, _ and -")
            elif names[_name_of(path)] > 1:
                self._complain(f"{path}: another file has the same command; keep one of them")
        return {name: path for path in paths if (name := _name_of(path)) and names[name] == 1}

    def _complain(self, fault: str) -> bool:
        if fault and fault not in self._complaints:
            self._complaints.add(fault)
            self._log.warning("no handler: %s", fault)
        return bool(fault)


def _name_of(path: Path) -> str:
    found = FILE_NAME.fullmatch(path.name)
    return found[1] if found else ""


def _fault_in(path: Path) -> str:
    """Why the file must not be run; empty if it may."""
    try:
        found = path.lstat()
    except OSError as error:
        return f"{path}: {error.strerror}"
    if not stat.S_ISREG(found.st_mode):
        return f"{path}: expected a regular file, not a link or a folder"
    if sys.platform == "win32":
        return "" if path.suffix in WINDOWS_SUFFIXES else f"{path}: expected one of {', '.join(WINDOWS_SUFFIXES)}"
    if not os.access(path, os.X_OK):
        return f"{path}: not executable; expected mode 755"
    return _fault_of_owner(path, found)


def _fault_of_owner(path: Path, found: os.stat_result) -> str:
    """A person who may write a handler decides what the agent runs. Windows has no such owners and modes."""
    if sys.platform == "win32":
        return ""
    if found.st_uid not in (0, os.geteuid()):
        return f"{path}: its owner is user {found.st_uid}; expected root, or the user of the agent"
    if found.st_mode & WRITABLE_BY_OTHERS:
        return f"{path}: others may write it; expected mode 755"
    return ""
