"""What is known of one measure so far: sums over strata, so that a new hour is added without reading the old ones."""

from collections.abc import Sequence
from math import exp, log
from typing import Any, Self

import msgspec

from tms.rollouts.effects.betting import LEANS, RATIOS, bet_on_hits, bet_on_readings, mean_of_logs
from tms.rollouts.effects.strata import Counts, Exposure

MOST = 1e9
"""Evidence is shown and stored up to this."""


class EvidenceTally(msgspec.Struct):
    """Everything but `logs` is for people: rates, how many were expected. Strata without both kinds add nothing."""

    logs: list[float] = []
    """The logarithm of what each bet has become; empty before the first stratum with hits."""
    updated_hits: int = 0
    waiting_hits: int = 0
    expected: float = 0.0
    """How many of the hits were expected to be of updated terminals."""
    standard_hits: float = 0.0
    """The hits of waiting terminals, weighted so that each stratum counts as much as it does for updated ones."""
    updated_days: float = 0.0
    """Terminal-days beside waiting terminals; for readings, how many changes of updated terminals were compared."""
    updated_change: float = 0.0
    waiting_change: float = 0.0
    """Sums over the changes of updated terminals, and of the means of the waiting ones beside each, for readings."""

    @property
    def evidence(self) -> float:
        return exp(min(mean_of_logs(self.logs), log(MOST))) if self.logs else 1.0

    def expose(self, exposure: Exposure) -> None:
        self.updated_days += exposure.updated_days

    def add(self, counts: Counts) -> None:
        """Add a stratum with hits. Its exposure is added by `expose`, as hours without hits have one, too."""
        self._multiply(bet_on_hits(counts.share, counts.expected), len(RATIOS))
        self.updated_hits += len(counts.updated_hit)
        self.waiting_hits += counts.waiting_hit
        self.expected += counts.hits * counts.expected
        self.standard_hits += counts.waiting_hit * counts.updated / counts.waiting

    def add_changes(self, leans: Sequence[float], updated: Sequence[float], waiting: Sequence[float]) -> None:
        """Add how a reading changed in one window at a site, among terminals of one model."""
        self._multiply(bet_on_readings(sum(leans) / len(leans)), len(LEANS))
        self.updated_days += len(updated)
        self.updated_change += sum(updated)
        self.waiting_change += len(updated) * sum(waiting) / len(waiting)

    def _multiply(self, factors: Sequence[float], number: int) -> None:
        logs = self.logs or [0.0] * number
        self.logs = [before + factor for before, factor in zip(logs, factors, strict=True)]

    def dump(self) -> dict[str, Any]:
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]

    @classmethod
    def load(cls, values: object) -> Self:
        return msgspec.convert(values, cls)
