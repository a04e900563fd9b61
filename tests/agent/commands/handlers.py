"""A folder of handlers, and what is left of their runs."""

from pathlib import Path


class Handlers:
    """A handler that calls `began` is counted, and its process is watched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "handlers"
        self.folder.mkdir(mode=0o755)
        self._pids = folder / "pids"
        self._pids.touch()

    def add(self, name: str, script: str, *, mode: int = 0o755) -> Path:
        """A shell script; a text that begins with `#!` stays as it is."""
        path = self.folder / name
        text = script if script.startswith("#!") else f"#!/bin/sh\nbegan() {{ echo $$ >>{self._pids}; }}\n{script}\n"
        # A file that is open for writing cannot be executed: a process that is forked meanwhile may still have it open.
        new = path.with_name(f"{name}.new~")
        new.write_text(text.replace("PIDS", str(self._pids)))
        new.chmod(mode)
        new.rename(path)
        return path

    @property
    def pids(self) -> list[int]:
        """The processes that began, also those that are gone."""
        return [int(line) for line in self._pids.read_text().split()]

    @property
    def alive(self) -> list[int]:
        return [pid for pid in self.pids if Path(f"/proc/{pid}").exists()]
