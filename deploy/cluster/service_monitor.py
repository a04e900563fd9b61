"""Monitors one service: keeps its state, and restarts it when it has died."""

import contextlib
import os
import time
from concurrent.futures import Executor, Future
from enum import StrEnum
from pathlib import Path

from deploy.cluster.usage import NO_USAGE, Usage, UsageMeter
from deploy.processes.clock import ClockProcess
from deploy.processes.service import Service

FIRST_RESTART_DELAY_S, LONGEST_RESTART_DELAY_S = 1.0, 30.0
STABLE_AFTER_S = 60.0
"""The next restart has the shortest delay again after a run of this length."""
POLL_INTERVAL_S = 1.0
POLL_TIMEOUT_S = 3.0
TAIL_BYTES = 8_192


class ServiceState(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    LEADER = "leads"
    NOT_RESPONDING = "no response"
    PAUSED = "paused"
    EXITED = "dead"
    STOPPING = "stopping"
    STOPPED = "stopped"


class ServiceMonitor:
    def __init__(self, service: Service, executor: Executor) -> None:
        self.service = service
        self.state = ServiceState.STARTING
        self.restarts = 0
        self.usage: Usage = NO_USAGE
        self.started_at = time.monotonic()
        self.restart_at = 0.0
        self.exit_code: int | None = None
        self._restart_delay_s = FIRST_RESTART_DELAY_S
        self._meter = UsageMeter()
        self._executor = executor
        self._poll: Future[ServiceState | None] | None = None
        self._polled_at = 0.0

    def update(self) -> None:
        """Update the state, and restart the service if it is due. Call it periodically; it never blocks."""
        if not self.service.is_running:
            self._on_exit()
            return
        self.usage = self._meter.read(self.service.pid)
        if self.state is not ServiceState.STOPPING:
            self._update_state()

    def stop(self) -> None:
        """Ask the service to stop, and do not restart it."""
        self.state = ServiceState.STOPPING if self.service.is_running else ServiceState.STOPPED
        self.service.request_stop()

    @property
    def uptime_s(self) -> float:
        return time.monotonic() - self.started_at if self.service.is_running else 0.0

    @property
    def log_tail(self) -> str:
        return last_line(self.service.log)

    def _on_exit(self) -> None:
        now = time.monotonic()
        if self.state in (ServiceState.STOPPING, ServiceState.STOPPED):
            self.state, self.usage = ServiceState.STOPPED, NO_USAGE
        elif self.state is not ServiceState.EXITED:
            self._record_exit(now)
        elif now >= self.restart_at:
            self._restart(now)

    def _record_exit(self, now: float) -> None:
        if now - self.started_at >= STABLE_AFTER_S:
            self._restart_delay_s = FIRST_RESTART_DELAY_S
        self.state, self.usage, self._poll = ServiceState.EXITED, NO_USAGE, None
        self.exit_code = None if self.service.process is None else self.service.process.returncode
        self.restart_at = now + self._restart_delay_s
        self._restart_delay_s = min(2 * self._restart_delay_s, LONGEST_RESTART_DELAY_S)

    def _restart(self, now: float) -> None:
        self.restarts += 1
        self.state, self.started_at = ServiceState.STARTING, now
        self.service.launch()

    def _update_state(self) -> None:
        """A request may hang as long as the process does, so other threads send it."""
        if self.usage.is_paused:
            self.state = ServiceState.PAUSED
            return
        now = time.monotonic()
        if self._poll is not None and self._poll.done():
            self.state = self._poll.result() or (
                self.state if self.state is ServiceState.STARTING else ServiceState.NOT_RESPONDING
            )
            self._poll = None
        elif (
            self._poll is not None
            and now - self._polled_at > POLL_TIMEOUT_S
            and self.state is not ServiceState.STARTING
        ):
            self.state = ServiceState.NOT_RESPONDING
        if self._poll is None and now - self._polled_at >= POLL_INTERVAL_S:
            self._polled_at = now
            self._poll = self._executor.submit(poll, self.service)


def poll(service: Service) -> ServiceState | None:
    """The state of the service; None if it does not answer."""
    if isinstance(service, ClockProcess):
        with contextlib.suppress(OSError):
            return ServiceState.LEADER if service.is_leader else ServiceState.RUNNING
        return None
    return ServiceState.RUNNING if service.answers() else None


def last_line(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
