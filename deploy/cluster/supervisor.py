"""Keeps the services of a cluster running until a signal, and updates the view."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

from deploy.cluster.service_monitor import ServiceMonitor, ServiceState
from deploy.cluster.view import View
from deploy.processes.service import Service

DRAW_EVERY_S = 0.5


class Supervisor:
    """`services` are running. Use it from the main thread: what it restarts ends with that thread."""

    def __init__(self, services: Sequence[Service], stop_order: Sequence[Sequence[Service]], view: View) -> None:
        self._executor = ThreadPoolExecutor(len(services), thread_name_prefix="poll")
        self.monitors = [ServiceMonitor(service, self._executor) for service in services]
        self._stop_order = stop_order
        self._view = view
        self._stop_requests = 0
        self._wake = threading.Event()

    def run(self) -> None:
        with self._handling_signals():
            while not self._stop_requests:
                self._update()
            self._stop_all()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _update(self) -> None:
        for monitor in self.monitors:
            monitor.update()
        self._view.show(self.monitors)
        self._wake.wait(DRAW_EVERY_S)

    def _stop_all(self) -> None:
        self._view.show_message("Stopping: nodes drain first. Ctrl-C again kills them all.")
        for group in self._stop_order:
            stopping = [monitor for monitor in self.monitors if monitor.service in group]
            deadline = time.monotonic() + max(monitor.service.stop_deadline_s for monitor in stopping)
            for monitor in stopping:
                monitor.stop()
            while any(monitor.state is not ServiceState.STOPPED for monitor in stopping):
                if self._stop_requests > 1 or time.monotonic() > deadline:
                    for monitor in stopping:
                        monitor.service.kill()
                self._wake.clear()
                self._update()

    @contextlib.contextmanager
    def _handling_signals(self) -> Iterator[None]:
        before = {
            name: signal.signal(name, self._request_stop) for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop_requests += 1
        self._wake.set()
