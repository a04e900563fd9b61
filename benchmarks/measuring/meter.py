"""The cost of processes: CPU and memory, from /proc."""

import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

NS = 1e-9


@dataclass(frozen=True)
class Reading:
    at: float
    """`time.monotonic()`"""
    cpu_s: Mapping[str, float]
    """CPU seconds by name, since the processes began."""
    machine_s: float
    """CPU seconds of all processes of this machine."""


@dataclass(frozen=True)
class Cost:
    """CPU between two readings."""

    seconds: float
    cpu_s: Mapping[str, float]
    others_s: float
    """Other activity that may have disturbed the benchmark."""

    def split(self, number: int) -> dict[str, float]:
        """CPU for each of `number` reports or boots, and how busy a core was, by name."""
        each = {f"{name} µs": cpu_s / number * 1e6 if number else math.nan for name, cpu_s in self.cpu_s.items()}
        return each | self.busy()

    def busy(self) -> dict[str, float]:
        """How busy a core was, by name."""
        busy = {f"{name} %": cpu_s / self.seconds * 100 for name, cpu_s in self.cpu_s.items()}
        return busy | {"others %": self.others_s / self.seconds * 100}


class Meter:
    """Reads the CPU of processes and their descendants, by name."""

    def __init__(self, processes: Mapping[str, Sequence[int]]) -> None:
        self._processes = processes

    def read(self) -> Reading:
        cpu_s = {name: sum(map(_tree_s, pids)) for name, pids in self._processes.items()}
        return Reading(time.monotonic(), cpu_s, _machine_s())


def cost(before: Reading, after: Reading) -> Cost:
    cpu_s = {name: after.cpu_s[name] - before.cpu_s[name] for name in before.cpu_s}
    others_s = after.machine_s - before.machine_s - sum(cpu_s.values())
    return Cost(after.at - before.at, cpu_s, max(0.0, others_s))


def resident_bytes(pids: Iterable[int]) -> int:
    return sum(process.memory_info().rss for pid in pids for process in _tree(pid))


def pin(pid: int, cores: Sequence[int]) -> None:
    """Pin a process and its descendants to these cores."""
    for process in _tree(pid):
        for thread in process.threads():
            os.sched_setaffinity(thread.id, cores)


def _tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def _tree_s(pid: int) -> float:
    return sum(map(_process_s, _tree(pid)))


def _process_s(process: psutil.Process) -> float:
    """The CPU seconds of a process: in nanoseconds while it runs, in ticks for its ended children."""
    try:
        running_s = sum(thread_seconds(process.pid).values())
        ended = process.cpu_times()
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return 0.0
    return running_s + ended.children_user + ended.children_system


def thread_seconds(pid: int) -> dict[int, float]:
    """The CPU time of each thread, by its kernel id. Raises errors of reading /proc."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {int(task.name): int((task / "schedstat").read_text().split()[0]) * NS for task in tasks}


def _machine_s() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)
