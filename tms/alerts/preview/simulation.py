"""When alerts would have opened and ended, from rule events. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from tms.alerts.lifecycle import RuleEvent, RuleTriggered
from tms.lib.severity import worst


class SimulatedAlert(NamedTuple):
    """An alert that would have opened."""

    terminal_id: int
    severity: str
    """The highest severity it would have reached."""
    opened_at: datetime
    ended_at: datetime | None
    """When it would have ended; None if it would still be open at the end."""
    lowest: float | None
    highest: float | None
    changes: int = 0
    """Number of openings and recoveries, if it would have flapped."""

    def lasted_s(self, until: datetime) -> float:
        return ((self.ended_at or until) - self.opened_at).total_seconds()


@dataclass(slots=True)
class Course:
    """A condition of one terminal, from its first trigger on."""

    terminal_id: int
    due_at: datetime
    lapses_at: datetime | None = None
    severity: str = ""
    lowest: float | None = None
    highest: float | None = None

    def trigger(self, event: RuleTriggered) -> None:
        self.lapses_at = event.at + timedelta(seconds=event.clear_after_s) if event.clear_after_s else None
        self.severity = worst(filter(None, (self.severity, event.severity)))
        self.lowest, self.highest = _extremes(self.lowest, self.highest, event.value)

    def has_lapsed(self, at: datetime) -> bool:
        return self.lapses_at is not None and self.lapses_at <= at

    def end(self, at: datetime | None, until: datetime) -> list[SimulatedAlert]:
        """The simulated alert; none if the condition did not last for its duration."""
        if self.due_at > until or (at is not None and self.due_at >= at):
            return []
        return [SimulatedAlert(self.terminal_id, self.severity, self.due_at, at, self.lowest, self.highest)]


type Due = Callable[[RuleTriggered], datetime]


def due_at(event: RuleTriggered) -> datetime:
    """When it will have lasted for its duration, at any hour."""
    return event.at + timedelta(seconds=event.duration_s)


def simulated_alerts(rule_events: Iterable[RuleEvent], *, until: datetime, due: Due = due_at) -> list[SimulatedAlert]:
    """Simulated alerts from the events of one rule in chronological order. `due` returns when a trigger opens its
    alert.
    """
    courses: dict[int, Course] = {}
    alerts: list[SimulatedAlert] = []
    for event in rule_events:
        course = courses.get(event.terminal_id)
        if course is not None and course.has_lapsed(event.at):
            alerts += courses.pop(event.terminal_id).end(course.lapses_at, until)
            course = None
        if isinstance(event, RuleTriggered):
            if course is None:
                course = courses[event.terminal_id] = Course(event.terminal_id, due(event))
            course.trigger(event)
        elif course is not None:
            alerts += course.end(event.at, until)
            del courses[event.terminal_id]
    for course in courses.values():
        alerts += course.end(course.lapses_at if course.has_lapsed(until) else None, until)
    return sorted(alerts, key=lambda alert: alert.opened_at)


def worst_of(one: SimulatedAlert, other: SimulatedAlert) -> SimulatedAlert:
    """`one` with the higher severity of both."""
    severity = worst(filter(None, (one.severity, other.severity)))
    lowest, highest = _extremes(one.lowest, one.highest, other.lowest, other.highest)
    return one._replace(severity=severity, lowest=lowest, highest=highest)


def _extremes(*values: float | None) -> tuple[float | None, float | None]:
    known = [value for value in values if value is not None]
    return min(known, default=None), max(known, default=None)
