"""What a process creates or imports when it first needs it.

Objects of which each has exactly one (its feed, its hub, its clock, its caches), and modules that fill a registry.
"""

import functools
import os
import threading
from collections.abc import Callable
from importlib import import_module


class PerProcess[T]:
    """A function that creates its object on the first call, from any thread, and returns the same one from then on."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: T | None = None
        self._lock = threading.Lock()
        functools.update_wrapper(self, make)

    def __call__(self) -> T:
        made = self._made
        return self._make_once() if made is None else made

    def reset(self) -> None:
        """Drop the object: the next call creates another one."""
        self._made = None
        self._lock = threading.Lock()  # after a fork, a thread that no longer exists may hold the old one

    def _make_once(self) -> T:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


_ALL: list[PerProcess[object]] = []


def per_process[T](make: Callable[[], T]) -> PerProcess[T]:
    """Decorate a function without arguments that creates an object of this process."""
    one = PerProcess(make)
    _ALL.append(one)
    return one


def reset_all() -> None:
    """Drop every object: in a forked child, whose parent still uses them, and in tests."""
    for one in _ALL:
        one.reset()


os.register_at_fork(after_in_child=reset_all)


class DeferredModules:
    """Names of modules that add entries to a registry when they are imported.

    An app names them when it is ready. The registry imports them when it is first used: most processes never use it,
    and would spend a third of the CPU time of their start on it.
    """

    def __init__(self) -> None:
        self._names: list[str] = []

    def add(self, *names: str) -> None:
        self._names += names

    def load(self) -> None:
        """Import all; a thread that calls it meanwhile waits for the imports of the other."""
        for name in self._names:
            import_module(name)
