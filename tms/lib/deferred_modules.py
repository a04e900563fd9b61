"""Registries whose entries are declared in modules of several apps."""

from importlib import import_module


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
