"""Waits for changes by another process or thread; each fails with the last value it read."""

import asyncio
import time
from collections.abc import Callable

DEADLINE_S = 60
"""The limit of every wait: it only ends a test that would otherwise hang."""
PAUSE_S = 0.02


def wait_for[Value](read: Callable[[], Value], holds: Callable[[Value], bool] = bool) -> Value:
    """Block until the result of `read` satisfies `holds`, and return it."""
    deadline = time.monotonic() + DEADLINE_S
    while not holds(value := read()):
        assert time.monotonic() < deadline, f"in vain for {DEADLINE_S} s; last value: {value!r}"
        time.sleep(PAUSE_S)
    return value


def wait_for_value[Value](read: Callable[[], Value], expected: Value) -> None:
    """Block until `read` returns `expected`."""
    deadline = time.monotonic() + DEADLINE_S
    while (value := read()) != expected:
        assert time.monotonic() < deadline, f"still {value!r}, expected {expected!r}"
        time.sleep(PAUSE_S)


async def wait_for_value_async[Value](read: Callable[[], Value], expected: Value) -> None:
    """The same in a coroutine; `read` runs in a thread."""
    deadline = time.monotonic() + DEADLINE_S
    while (value := await asyncio.to_thread(read)) != expected:
        assert time.monotonic() < deadline, f"still {value!r}, expected {expected!r}"
        await asyncio.sleep(PAUSE_S)
