"""Limits the number of metric names per terminal."""

from collections.abc import Collection, Mapping
from functools import lru_cache

from tms.protocol.limits import METRIC_NAMES


class MetricNames:
    """The metric names of a terminal: of its last state, and of all reports since, including late ones."""

    __slots__ = ("_known",)

    def __init__(self, known: Collection[str] = ()) -> None:
        self._known = _share(frozenset(known))

    def beyond(self, metrics: Mapping[str, float]) -> frozenset[str]:
        """The `metrics` beyond the limit. The others are known from now on."""
        if self._known.issuperset(metrics):
            return frozenset()
        new = [name for name in metrics if name not in self._known]
        room = max(0, METRIC_NAMES - len(self._known))
        self._known = _share(self._known.union(new[:room]))
        return frozenset(new[room:])


@lru_cache(4_096)
def _share(names: frozenset[str]) -> frozenset[str]:
    """Terminals of one model have the same names, so they share one set."""
    return names
