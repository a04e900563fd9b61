"""Versions of the agent side by side, so that a new one that does not work is left for the old one.

The service runs `supervise`, which belongs to the installed package and is never replaced. It starts the newest version
on trial, and the one before again if that ends, or has not reached TMS in time.
"""

import asyncio
import contextlib
import logging
import math
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from tms_agent.requests import RequestRefused
from tms_agent.storage import documents
from tms_agent.updating.manifest import Manifest
from tms_agent.updating.trial import ON_TRIAL

FORMAT = "tms-agent"
"""The format of an update that is a wheel of this agent."""
TRIAL_S = 600.0
POLL_S = 0.5
STOP_S = 20.0
MAX_UNPACKED_BYTES = 64 * 1024 * 1024
MAX_FILES = 2_000

log = logging.getLogger("tms_agent")


class Versions:
    """A folder with a folder for each version, and `versions.json`: which one runs, and which is on trial."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._state = folder / "versions.json"

    @property
    def current(self) -> str:
        """Empty for the installed package."""
        return self._existing("current")

    @property
    def trial(self) -> str:
        return self._existing("trial")

    def path_of(self, version: str) -> Path:
        return self.folder / version

    def confirmation_of(self, version: str) -> Path:
        """The file that a version on trial writes once it has reached TMS."""
        return self.folder / f"{version}.confirmed"

    def try_next(self, version: str) -> None:
        """Called by the version that runs, which may be on trial itself."""
        running = self.trial if self.trial and self.confirmation_of(self.trial).exists() else self.current
        self.confirmation_of(version).unlink(missing_ok=True)
        self._write(running, version)

    def keep(self, version: str) -> None:
        """End the trial of a version that has reached TMS."""
        self._write(version, "" if self.trial == version else self.trial)
        self._remove_others()

    def drop(self, version: str) -> None:
        """End the trial of a version that has not. A version without its folder is on no trial, also on a full disk."""
        shutil.rmtree(self.path_of(version), ignore_errors=True)
        with contextlib.suppress(OSError):
            self._write(self.current, self.trial)

    def _write(self, current: str, trial: str) -> None:
        documents.write(self._state, {"current": current, "trial": trial})

    def _remove_others(self) -> None:
        for path in self.folder.iterdir():
            if path.is_dir() and path.name not in (self.current, self.trial):
                shutil.rmtree(path, ignore_errors=True)
                self.confirmation_of(path.name).unlink(missing_ok=True)

    def _existing(self, name: str) -> str:
        version = (documents.read(self._state) or {}).get(name, "")
        return version if isinstance(version, str) and version and self.path_of(version).is_dir() else ""


class OwnInstaller:
    """Unpacks a wheel of the agent beside the versions that are there. The supervisor does the rest."""

    restart_command: Sequence[str] = ()

    def __init__(self, versions: Versions) -> None:
        self._versions = versions

    async def install(self, file: Path, manifest: Manifest) -> None:
        """Raises RequestRefused."""
        if manifest.version in (self._versions.current, self._versions.trial):
            raise RequestRefused(f"version {manifest.version} is there already")
        folder = self._versions.path_of(manifest.version)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            await asyncio.to_thread(unpack, file, folder)
        except (OSError, zipfile.BadZipFile) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise RequestRefused(f"the wheel cannot be unpacked: {error}") from None
        self._versions.try_next(manifest.version)

    async def confirm(self) -> None:
        """The supervisor keeps it."""

    async def roll_back(self) -> None:
        """The supervisor does it."""


def unpack(wheel: Path, folder: Path) -> None:
    """Raises OSError and BadZipFile."""
    with zipfile.ZipFile(wheel) as archive:
        members = archive.infolist()
        if len(members) > MAX_FILES or sum(one.file_size for one in members) > MAX_UNPACKED_BYTES:
            raise zipfile.BadZipFile(f"more than {MAX_FILES} files or {MAX_UNPACKED_BYTES} bytes")
        if not any(one.filename == "tms_agent/__main__.py" for one in members):
            raise zipfile.BadZipFile("it is no tms-agent")
        archive.extractall(folder)  # no member gets out of the folder: names are cleaned


class Supervisor:
    """Runs one version of the agent at a time, as a child."""

    def __init__(
        self,
        versions: Versions,
        arguments: Sequence[str],
        *,
        trial_s: float = TRIAL_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._versions = versions
        self._arguments = arguments
        self._trial_s = trial_s
        self._now = now
        self._child: subprocess.Popen[bytes] | None = None
        self._is_stopping = False

    def run(self) -> int:
        """Returns the exit code of the agent that ended last, unless another version has to be started."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while True:
            trial = self._versions.trial
            status = self._run_trial(trial) if trial else self._run_version(self._versions.current)
            if self._is_stopping or (self._versions.trial == trial == ""):
                return status

    def _run_version(self, version: str) -> int:
        self._child = self._start(version)
        return self._wait()

    def _run_trial(self, version: str) -> int:
        """Run a version on trial until it ends, and keep it if it has reached TMS."""
        log.info("version %s is on trial for %.0f s", version, self._trial_s)
        confirmation = self._versions.confirmation_of(version)
        self._child = self._start(version, {ON_TRIAL: str(confirmation)})
        status = self._wait(self._now() + self._trial_s, confirmation)
        if confirmation.exists():
            log.info("version %s reached TMS and stays", version)
            try:
                self._versions.keep(version)
            except OSError as error:  # the next start is another trial
                log.error("version %s cannot be kept: %s", version, error)
            return self._wait()
        if not self._is_stopping:
            log.error("version %s did not reach TMS (exit code %s): back to the one before", version, status)
            self._versions.drop(version)
        return status

    def _start(self, version: str, more: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if name != ON_TRIAL} | (more or {})
        if version:
            environment["PYTHONPATH"] = str(self._versions.path_of(version))
        return subprocess.Popen([sys.executable, "-m", "tms_agent", *self._arguments], env=environment)

    def _wait(self, deadline: float = math.inf, confirmation: Path | None = None) -> int:
        """Wait for the child to end. It is ended at the deadline; once it is confirmed, return at once."""
        assert self._child
        while self._child.poll() is None:
            if confirmation and confirmation.exists():
                return 0
            if self._is_stopping or self._now() > deadline:
                self._end()
                break
            time.sleep(POLL_S)
        return self._child.wait()

    def _end(self) -> None:
        assert self._child
        self._child.terminate()
        try:
            self._child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._is_stopping = True
