"""What a process and its children use."""

from typing import NamedTuple

import psutil


class Vitals(NamedTuple):
    rss: int
    """Bytes. What several processes share is counted in each of them, PostgreSQL's buffers for example."""
    cpu: float
    """Cores, since the last look."""
    is_paused: bool


NOTHING = Vitals(0, 0.0, is_paused=False)


class Meter:
    """Remembers the processes of one service, for a share of the CPU is a difference between two looks."""

    def __init__(self) -> None:
        self._seen: dict[int, psutil.Process] = {}

    def read(self, pid: int) -> Vitals:
        try:
            root = self._seen.get(pid) or psutil.Process(pid)
            family = [root, *root.children(recursive=True)]
        except psutil.Error:
            self._seen = {}
            return NOTHING
        self._seen = {process.pid: self._seen.get(process.pid, process) for process in family}
        rss, cpu, paused = 0, 0.0, False
        for process in self._seen.values():
            try:
                rss += process.memory_info().rss
                cpu += process.cpu_percent(None) / 100
                paused |= process.status() == psutil.STATUS_STOPPED
            except psutil.Error:  # it ended while we looked
                continue
        return Vitals(rss, cpu, paused)
