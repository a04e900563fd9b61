"""A fault, what TMS guarantees under it, and the findings."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

CONVERGED_WITHIN_S = 5.0
"""Boards equal the database within this time after the end of any fault."""


class FaultOutcome(StrEnum):
    PASSED = "passed"
    FAILED = "FAILED"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Expectation:
    """One figure of a guarantee, and its limit."""

    what: str
    value: float | None
    """What was measured. None: it did not happen in time."""
    at_most: float
    unit: str = ""

    @property
    def is_met(self) -> bool:
        return self.value is not None and self.value <= self.at_most


@dataclass
class Finding:
    """The result of one fault."""

    fault: str
    guarantee: str
    title: str
    lost: int | None = None
    duplicated: int | None = None
    false_alerts: int | None = None
    converged_s: float | None = None
    took_s: float = 0.0
    expectations: list[Expectation] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    """Figures that have no limit."""
    skipped: str = ""
    """Why it could not run here."""
    error: str = ""
    """The error that aborted it."""

    def expect(self, what: str, value: float | None, *, at_most: float, unit: str = "") -> None:
        self.expectations.append(Expectation(what, value, at_most, unit))

    @property
    def all_expectations(self) -> list[Expectation]:
        return [
            Expectation("acknowledged reports lost", self.lost, 0),
            Expectation("duplicated", self.duplicated, 0),
            Expectation("false alerts", self.false_alerts, 0),
            Expectation("boards equal the database", self.converged_s, CONVERGED_WITHIN_S, "s"),
            *self.expectations,
        ]

    @property
    def outcome(self) -> FaultOutcome:
        if self.skipped:
            return FaultOutcome.SKIPPED
        is_met = not self.error and all(expectation.is_met for expectation in self.all_expectations)
        return FaultOutcome.PASSED if is_met else FaultOutcome.FAILED


@dataclass(frozen=True)
class Fault[S]:
    """A failure, and how to inject it in a scenario."""

    name: str
    guarantee: str
    title: str
    inject: Callable[[S, Finding], Awaitable[None]]
    needs: Callable[[], str] = lambda: ""
    """Why it cannot run on this machine; empty if it can."""
    is_quick: bool = False
    """Part of the ordinary suite."""
