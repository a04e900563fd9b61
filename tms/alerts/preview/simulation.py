"""When alerts would have opened and ended, from what was judged. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from tms.alerts.lifecycle import RuleEvent, RuleTriggered
from tms.alerts.models.rule import SEVERITY_ORDER


class SimulatedAlert(NamedTuple):
    """An alert that would have been."""

    terminal_id: int
    severity: str
    """The worst that it would have had."""
    opened_at: datetime
    ended_at: datetime | None
    """None when it would still be open at the end."""
    lowest: float | None
    highest: float | None
    changes: int = 0
    """Openings and recoveries, if it would have flapped."""

    def lasted_s(self, until: datetime) -> float:
        return ((self.ended_at or until) - self.opened_at).total_seconds()


@dataclass(slots=True)
class Course:
    """A condition of one terminal, from its first claim on."""

    terminal_id: int
    due_at: datetime
    lapses_at: datetime | None = None
    severity: str = ""
    lowest: float | None = None
    highest: float | None = None

    def claim(self, claim: RuleTriggered) -> None:
        self.lapses_at = claim.at + timedelta(seconds=claim.clear_after_s) if claim.clear_after_s else None
        self.severity = max(self.severity, claim.severity, key=_rank)
        self.lowest, self.highest = _span(self.lowest, self.highest, claim.value)

    def has_lapsed(self, at: datetime) -> bool:
        return self.lapses_at is not None and self.lapses_at <= at

    def end(self, at: datetime | None, until: datetime) -> list[SimulatedAlert]:
        """Nothing when it did not hold for its duration."""
        if self.due_at > until or (at is not None and self.due_at >= at):
            return []
        return [SimulatedAlert(self.terminal_id, self.severity, self.due_at, at, self.lowest, self.highest)]


type Due = Callable[[RuleTriggered], datetime]


def lasted(claim: RuleTriggered) -> datetime:
    """When it will have held for its duration, at any hour."""
    return claim.at + timedelta(seconds=claim.duration_s)


def simulated_alerts(rule_events: Iterable[RuleEvent], *, until: datetime, due: Due = lasted) -> list[SimulatedAlert]:
    """Of the verdicts on one rule, in the order of time. `due` tells when a claim opens its alert."""
    courses: dict[int, Course] = {}
    fired: list[SimulatedAlert] = []
    for verdict in rule_events:
        course = courses.get(verdict.terminal_id)
        if course is not None and course.has_lapsed(verdict.at):
            fired += courses.pop(verdict.terminal_id).end(course.lapses_at, until)
            course = None
        if isinstance(verdict, RuleTriggered):
            if course is None:
                course = courses[verdict.terminal_id] = Course(verdict.terminal_id, due(verdict))
            course.claim(verdict)
        elif course is not None:
            fired += course.end(verdict.at, until)
            del courses[verdict.terminal_id]
    for course in courses.values():
        fired += course.end(course.lapses_at if course.has_lapsed(until) else None, until)
    return sorted(fired, key=lambda firing: firing.opened_at)


def worst_of(one: SimulatedAlert, other: SimulatedAlert) -> SimulatedAlert:
    """`one`, as bad as both."""
    severity = max(one.severity, other.severity, key=_rank)
    lowest, highest = _span(one.lowest, one.highest, other.lowest, other.highest)
    return one._replace(severity=severity, lowest=lowest, highest=highest)


def _span(*values: float | None) -> tuple[float | None, float | None]:
    known = [value for value in values if value is not None]
    return min(known, default=None), max(known, default=None)


def _rank(severity: str) -> int:
    return SEVERITY_ORDER.index(severity) if severity else -1
