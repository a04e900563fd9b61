"""Keeps a cluster running until it is asked to stop, and shows it."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

from deploy.cluster.service_monitor import State, Warden
from deploy.cluster.view import View
from deploy.processes.service import Service

DRAW_EVERY_S = 0.5


class Supervisor:
    """`services` are running. Use it from the main thread: whatever it starts again ends with that."""

    def __init__(self, services: Sequence[Service], farewell: Sequence[Sequence[Service]], view: View) -> None:
        self._looks = ThreadPoolExecutor(len(services), thread_name_prefix="look")
        self.wardens = [Warden(service, self._looks) for service in services]
        self._farewell = farewell
        self._view = view
        self._asked = 0
        self._wake = threading.Event()

    def run(self) -> None:
        with self._hearing_signals():
            while not self._asked:
                self._turn()
            self._say_goodbye()
        self._looks.shutdown(wait=False, cancel_futures=True)

    def _turn(self) -> None:
        for warden in self.wardens:
            warden.watch()
        self._view.show(self.wardens)
        self._wake.wait(DRAW_EVERY_S)

    def _say_goodbye(self) -> None:
        self._view.say("Stopping: nodes drain first. Ctrl-C again kills them all.")
        for group in self._farewell:
            leaving = [warden for warden in self.wardens if warden.service in group]
            deadline = time.monotonic() + max(warden.service.stop_deadline_s for warden in leaving)
            for warden in leaving:
                warden.stop()
            while any(warden.state is not State.STOPPED for warden in leaving):
                if self._asked > 1 or time.monotonic() > deadline:
                    for warden in leaving:
                        warden.service.kill()
                self._wake.clear()
                self._turn()

    @contextlib.contextmanager
    def _hearing_signals(self) -> Iterator[None]:
        before = {name: signal.signal(name, self._ask) for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked += 1
        self._wake.set()
