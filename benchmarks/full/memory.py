"""Memory of a system, without counting shared pages twice."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil

GIB, KIB = 2**30, 2**10
PAGE = 4096


def memory_gib(processes: Mapping[str, Sequence[int]], *, kernel_before: int) -> dict[str, float]:
    """GiB by name, of the kernel's sockets, and in total; without the clients' ends of the sockets."""
    by_name = {name: _proportional(pids) / GIB for name, pids in processes.items()}
    by_name["kernel sockets"] = max(0, kernel() - kernel_before) / 2 / GIB
    return by_name | {"in all": sum(by_name.values())}


def kernel() -> int:
    """Bytes of the kernel's objects, including sockets, and of socket buffers."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    slab = int(lines["Slab"].split()[0]) * KIB
    sockets = Path("/proc/net/sockstat").read_text().splitlines()
    waiting = next((int(line.split()[-1]) for line in sockets if line.startswith("TCP:")), 0)
    return slab + waiting * PAGE


def _proportional(pids: Iterable[int]) -> int:
    processes = [psutil.Process(pid) for pid in pids]
    everyone = [*processes, *(child for process in processes for child in process.children(recursive=True))]
    return sum(_pss(process) for process in everyone)


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
