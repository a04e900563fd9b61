"""The bar of evidence: logarithmic from 1 to 100, with ticks at hold and stop."""

from dataclasses import dataclass
from math import log10
from typing import Self

HOLD, STOP = 10, 100


@dataclass(frozen=True, slots=True)
class EvidenceBar:
    value: float
    level: str
    """calm, hold or stop; past once the rollout is decided, when it says nothing about now."""

    @classmethod
    def of(cls, value: float | None, *, is_past: bool = False) -> Self | None:
        """None if there is no evidence yet."""
        if value is None:
            return None
        if is_past:
            return cls(value, "past")
        return cls(value, "stop" if value >= STOP else "hold" if value >= HOLD else "calm")

    @property
    def length(self) -> float:
        """Percentage of the bar."""
        return min(max(log10(self.value) / 2, 0), 1) * 100 if self.value > 0 else 0

    @property
    def text(self) -> str:
        return f"{self.value:,.0f}" if self.value >= HOLD else f"{self.value:.1f}"
