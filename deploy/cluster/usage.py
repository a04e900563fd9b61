"""Memory and CPU that a process and its children use."""

from typing import NamedTuple

import psutil


class Usage(NamedTuple):
    rss: int
    """Bytes. Shared memory, such as PostgreSQL's buffers, is counted for each process."""
    cpu: float
    """Cores, since the last reading."""
    is_paused: bool


NO_USAGE = Usage(0, 0.0, is_paused=False)


class UsageMeter:
    """Remembers the processes of one service: CPU usage is the difference between two readings."""

    def __init__(self) -> None:
        self._seen: dict[int, psutil.Process] = {}

    def read(self, pid: int) -> Usage:
        try:
            root = self._seen.get(pid) or psutil.Process(pid)
            family = [root, *root.children(recursive=True)]
        except psutil.Error:
            self._seen = {}
            return NO_USAGE
        self._seen = {process.pid: self._seen.get(process.pid, process) for process in family}
        rss, cpu, paused = 0, 0.0, False
        for process in self._seen.values():
            try:
                rss += process.memory_info().rss
                cpu += process.cpu_percent(None) / 100
                paused |= process.status() == psutil.STATUS_STOPPED
            except psutil.Error:  # it ended meanwhile
                continue
        return Usage(rss, cpu, paused)
