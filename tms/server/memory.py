import ctypes
import gc
import sys

from tms.server.flow import Flow

MIB = 2**20
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""mallopt(3)."""
BOUNDS = {M_ARENA_MAX: 2, M_MMAP_THRESHOLD: MIB // 4, M_TRIM_THRESHOLD: MIB}


def keep_still(flow: Flow) -> None:
    """Before the first connection: what is loaded by now stays, and collections become rare."""
    give_back()
    if flow.gc_threshold:
        gc.set_threshold(*flow.gc_threshold)
    if flow.gc_freeze:
        gc.collect()
        gc.freeze()


def give_back() -> bool:
    """Have glibc return what is free; whether it is glibc.

    Left alone it keeps a heap for each of several threads, and after the first page of some MiB that was freed it takes
    the next from the heap, too, where one small piece above it keeps all of it.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(name, value) for name, value in BOUNDS.items())
