"""Replaces simulated alerts that would have flapped by the one alert that would have stayed open. Pure.

The same calculation as for live alerts (`tms.alerts.lifecycle.flapping`), on alerts that are known already.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from tms.alerts.models.flap_score import FULL, flap_score, stable_from
from tms.alerts.preview.simulation import SimulatedAlert, worst_of


class FlapThresholds(NamedTuple):
    """When an alert begins to flap, and when it is stable."""

    window_s: float
    high: float
    """Flap scores from 0 to 1: an alert flaps from `high` up, and is stable from `low` down."""
    low: float


def with_flapping(
    simulated: Iterable[SimulatedAlert], limits: FlapThresholds, *, until: datetime
) -> list[SimulatedAlert]:
    """The simulated alerts in chronological order, with those that flap merged."""
    of_terminal: defaultdict[int, deque[SimulatedAlert]] = defaultdict(deque)
    for alert in sorted(simulated, key=_opening):
        of_terminal[alert.terminal_id].append(alert)
    alerts = (alert for rest in of_terminal.values() for alert in _alerts(rest, limits, until))
    return sorted(alerts, key=_opening)


def _alerts(rest: deque[SimulatedAlert], limits: FlapThresholds, until: datetime) -> Iterator[SimulatedAlert]:
    """The alerts of one terminal."""
    before: list[SimulatedAlert] = []
    while rest:
        alert = rest.popleft()
        opened = alert.opened_at.timestamp()
        before = [one for one in before if one.opened_at.timestamp() >= opened - limits.window_s]
        changes = [at.timestamp() for one in before for at in (one.opened_at, one.ended_at) if at] + [opened]
        if flap_score(changes, at=opened, window_s=limits.window_s) >= limits.high:
            alert = _flapping(alert, changes, rest, limits, until)
        before.append(alert)
        yield alert


def _flapping(
    alert: SimulatedAlert, changes: list[float], rest: deque[SimulatedAlert], limits: FlapThresholds, until: datetime
) -> SimulatedAlert:
    """`alert` merged with all of `rest` that opens before it is stable."""
    recent, number, last = sorted(changes), len(changes), alert
    while True:
        if last.ended_at is None or last.ended_at.timestamp() >= _stable_from(recent, limits):
            # Still triggered: it stays open like any alert.
            return alert._replace(ended_at=last.ended_at, changes=number)
        recent.append(last.ended_at.timestamp())
        stable_at = _stable_from(recent, limits)
        if not rest or rest[0].opened_at.timestamp() >= stable_at:
            ended_at = datetime.fromtimestamp(stable_at, UTC)
            return alert._replace(ended_at=ended_at if ended_at <= until else None, changes=number + 1)
        last = rest.popleft()
        recent.append(last.opened_at.timestamp())
        number += 2
        alert = worst_of(alert, last)


def _stable_from(recent: list[float], limits: FlapThresholds) -> float:
    return stable_from(recent[-FULL:], low=limits.low, window_s=limits.window_s)


def _opening(alert: SimulatedAlert) -> datetime:
    return alert.opened_at
