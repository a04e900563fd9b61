"""Settings of Python and glibc for a process that keeps thousands of connections."""

import asyncio
import ctypes
import gc
import sys

from tms.server.flow import Flow

MIB = 2**20
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""mallopt(3)."""
BOUNDS = {M_ARENA_MAX: 2, M_MMAP_THRESHOLD: MIB // 4, M_TRIM_THRESHOLD: MIB}


def tune_gc(flow: Flow) -> None:
    """Call before the first connection: freezes what is loaded, and makes collections rare. In a running loop."""
    if flow.gc_threshold:
        gc.set_threshold(*flow.gc_threshold)
    if flow.gc_freeze:
        gc.collect()
        gc.freeze()
    if flow.gc_young_interval:
        collect_young(asyncio.get_running_loop(), flow.gc_young_interval)


def collect_young(loop: asyncio.AbstractEventLoop, interval_s: float) -> None:
    """Collects the young generation periodically: small leftovers of requests would otherwise add up to megabytes."""
    gc.collect(1)
    loop.call_later(interval_s, collect_young, loop, interval_s)


def tune_malloc() -> bool:
    """Make glibc return free memory. Returns whether the C library is glibc. Call before the first thread.

    By default each of the first threads gets a heap of its own, up to eight for each core, and mallopt does not reduce
    their number later. After a page of some MiB was freed, glibc takes the next one from the heap, where one small
    allocation above it retains all of it.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(name, value) for name, value in BOUNDS.items())
