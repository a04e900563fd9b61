"""The processes of a service, children included."""

import os
import signal
import time
from pathlib import Path


def process_tree(pid: int) -> list[int]:
    """`pid` and its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [pid, *(each for child in children for each in process_tree(int(child)))]


def send_signal(processes: list[int], which: signal.Signals) -> None:
    for pid in processes:
        try:
            os.kill(pid, which)
        except ProcessLookupError:
            continue


def kill_tree(pid: int, *, within_s: float = 10.0) -> None:
    """SIGKILL for all of them; wait until only zombies are left, which their parent has to reap."""
    processes = process_tree(pid)
    send_signal(processes, signal.SIGKILL)
    deadline = time.monotonic() + within_s
    while any(map(_runs, processes)):
        assert time.monotonic() < deadline, f"{processes} do not end"
        time.sleep(0.02)


def resident_mib(pid: int) -> float:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except FileNotFoundError:
        return 0.0
    return int(pages) * os.sysconf("SC_PAGESIZE") / 2**20


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
