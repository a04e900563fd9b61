"""A fault, its requirements, and what was found."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

CONVERGED_WITHIN_S = 5.0
"""R25: boards agree with the database within this time after any fault ends."""


class Verdict(StrEnum):
    KEPT = "kept"
    BROKEN = "BROKEN"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Promise:
    """One figure of a requirement, and its limit."""

    what: str
    value: float | None
    """None: it did not happen in time."""
    at_most: float
    unit: str = ""

    @property
    def is_kept(self) -> bool:
        return self.value is not None and self.value <= self.at_most


@dataclass
class Finding:
    """What one fault did."""

    fault: str
    requirement: str
    title: str
    lost: int | None = None
    twice: int | None = None
    false_alerts: int | None = None
    converged_s: float | None = None
    took_s: float = 0.0
    promises: list[Promise] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    """Figures without a requirement."""
    skipped: str = ""
    """Why it could not run here."""
    error: str = ""
    """What aborted it."""

    def promise(self, what: str, value: float | None, *, at_most: float, unit: str = "") -> None:
        self.promises.append(Promise(what, value, at_most, unit))

    @property
    def all_promises(self) -> list[Promise]:
        return [
            Promise("acknowledged reports lost", self.lost, 0),
            Promise("stored twice", self.twice, 0),
            Promise("false alerts", self.false_alerts, 0),
            Promise("boards equal the database", self.converged_s, CONVERGED_WITHIN_S, "s"),
            *self.promises,
        ]

    @property
    def verdict(self) -> Verdict:
        if self.skipped:
            return Verdict.SKIPPED
        is_kept = not self.error and all(promise.is_kept for promise in self.all_promises)
        return Verdict.KEPT if is_kept else Verdict.BROKEN


@dataclass(frozen=True)
class Fault[Stand]:
    """Something that fails, and how to make it fail in a scene."""

    name: str
    requirement: str
    title: str
    happen: Callable[[Stand, Finding], Awaitable[None]]
    needs: Callable[[], str] = lambda: ""
    """Why it cannot run on this machine; empty if it can."""
    is_quick: bool = False
    """Part of the ordinary suite."""
