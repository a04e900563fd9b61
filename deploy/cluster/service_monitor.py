"""Watches over one service: knows its state, and starts it again when it died."""

import contextlib
import os
import time
from concurrent.futures import Executor, Future
from enum import StrEnum
from pathlib import Path

from deploy.cluster.usage import NOTHING, Meter, Vitals
from deploy.processes.clock import ClockProcess
from deploy.processes.service import Service

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
SOUND_AFTER_S = 60.0
"""Who ran so long before it died is started again at once."""
LOOK_EVERY_S = 1.0
SLOW_ANSWER_S = 3.0
TAIL_BYTES = 8_192


class State(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    LEADS = "leads"
    SILENT = "no answer"
    PAUSED = "paused"
    DEAD = "dead"
    STOPPING = "stopping"
    STOPPED = "stopped"


class Warden:
    def __init__(self, service: Service, looks: Executor) -> None:
        self.service = service
        self.state = State.STARTING
        self.restarts = 0
        self.vitals: Vitals = NOTHING
        self.began_at = time.monotonic()
        self.again_at = 0.0
        self.exit_code: int | None = None
        self._pause_s = FIRST_PAUSE_S
        self._meter = Meter()
        self._looks = looks
        self._look: Future[State | None] | None = None
        self._looked_at = 0.0

    def watch(self) -> None:
        """Call it again and again. Never waits."""
        if not self.service.is_running:
            self._mourn()
            return
        self.vitals = self._meter.read(self.service.pid)
        if self.state is not State.STOPPING:
            self._see()

    def stop(self) -> None:
        """Ask it to stop, and do not start it again."""
        self.state = State.STOPPING if self.service.is_running else State.STOPPED
        self.service.ask_to_stop()

    @property
    def uptime_s(self) -> float:
        return time.monotonic() - self.began_at if self.service.is_running else 0.0

    @property
    def last_words(self) -> str:
        return last_line(self.service.log)

    def _mourn(self) -> None:
        now = time.monotonic()
        if self.state in (State.STOPPING, State.STOPPED):
            self.state, self.vitals = State.STOPPED, NOTHING
        elif self.state is not State.DEAD:
            self._note_death(now)
        elif now >= self.again_at:
            self._start_again(now)

    def _note_death(self, now: float) -> None:
        if now - self.began_at >= SOUND_AFTER_S:
            self._pause_s = FIRST_PAUSE_S
        self.state, self.vitals, self._look = State.DEAD, NOTHING, None
        self.exit_code = None if self.service.process is None else self.service.process.returncode
        self.again_at = now + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _start_again(self, now: float) -> None:
        self.restarts += 1
        self.state, self.began_at = State.STARTING, now
        self.service.launch()

    def _see(self) -> None:
        """Asking may take as long as the process hangs: others do it for us."""
        if self.vitals.is_paused:
            self.state = State.PAUSED
            return
        now = time.monotonic()
        if self._look is not None and self._look.done():
            self.state = self._look.result() or (self.state if self.state is State.STARTING else State.SILENT)
            self._look = None
        elif self._look is not None and now - self._looked_at > SLOW_ANSWER_S and self.state is not State.STARTING:
            self.state = State.SILENT
        if self._look is None and now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            self._look = self._looks.submit(look, self.service)


def look(service: Service) -> State | None:
    """None when it does not answer."""
    if isinstance(service, ClockProcess):
        with contextlib.suppress(OSError):
            return State.LEADS if service.leads else State.RUNNING
        return None
    return State.RUNNING if service.answers() else None


def last_line(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
