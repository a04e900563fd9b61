"""The packages of a peer, installed from its lock into a folder that git ignores. They are never committed."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools"
PATH = os.pathsep.join((str(TOOLS / "uv" / "bin"), str(TOOLS / "node" / "bin"), os.environ.get("PATH", os.defpath)))
"""uv and node as `make` installs them, or those of the system."""
DEADLINE_S = 180


@dataclass(frozen=True)
class Installation:
    name: str
    locks: Sequence[Path]
    """What is installed: the commands find copies of these files in their folder."""
    commands: Sequence[Sequence[str]]

    @property
    def folder(self) -> Path:
        return TOOLS / "peers" / self.name

    def absence(self) -> str:
        """Why the peer cannot be measured; empty when it can."""
        if self._is_current():
            return ""
        failure = self.folder / "failure"
        return failure.read_text() if failure.exists() else "not installed; run python -m benchmarks.peers"

    def install(self) -> None:
        """Install the packages of the locks, unless they are installed; if that fails, `absence` returns the reason."""
        if self._is_current():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for lock in self.locks:
            shutil.copy(lock, self.folder)
        failure = next(filter(None, map(self._failure, self.commands)), "")
        (self.folder / ("failure" if failure else "installed")).write_text(failure)

    def _is_current(self) -> bool:
        copies = [self.folder / lock.name for lock in self.locks]
        return (self.folder / "installed").exists() and all(
            copy.exists() and copy.read_bytes() == lock.read_bytes()
            for copy, lock in zip(copies, self.locks, strict=True)
        )

    def _failure(self, command: Sequence[str]) -> str:
        """Why the command failed; empty when it did not."""
        path = self.folder / "log"
        environment = os.environ | {"PATH": PATH, "UV_SYSTEM_CERTS": "1", "NODE_USE_SYSTEM_CA": "1"}
        try:
            with path.open("ab") as log:
                subprocess.run(
                    command, cwd=self.folder, env=environment, stdout=log, stderr=log, timeout=DEADLINE_S, check=True
                )
        except FileNotFoundError:
            return f"{command[0]} is not installed"
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            log_name = os.path.relpath(path, ROOT)
            return f"its packages could not be installed; is the package registry reachable? See {log_name}"
        return ""
