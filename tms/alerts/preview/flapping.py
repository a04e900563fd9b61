"""Of what would have opened and recovered again and again: the alert that would have stood instead. Pure.

The same reckoning as of live alerts (`tms.alerts.lifecycle.flapping`), on firings that are known already.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from tms.alerts.models.flap_score import FULL, flap_score, stable_from
from tms.alerts.preview.simulation import SimulatedAlert, worst_of


class FlapThresholds(NamedTuple):
    """What is called flapping."""

    window_s: float
    high: float
    """Shares, from 0 to 1: from which it flaps, and at which it is calm again."""
    low: float


def with_flapping(fired: Iterable[SimulatedAlert], unrest: FlapThresholds, *, until: datetime) -> list[SimulatedAlert]:
    """In the order of time."""
    of_terminal: defaultdict[int, deque[SimulatedAlert]] = defaultdict(deque)
    for firing in sorted(fired, key=_opened):
        of_terminal[firing.terminal_id].append(firing)
    alerts = (alert for rest in of_terminal.values() for alert in _alerts(rest, unrest, until))
    return sorted(alerts, key=_opened)


def _alerts(rest: deque[SimulatedAlert], unrest: FlapThresholds, until: datetime) -> Iterator[SimulatedAlert]:
    """Of one terminal."""
    before: list[SimulatedAlert] = []
    while rest:
        alert = rest.popleft()
        opened = alert.opened_at.timestamp()
        before = [one for one in before if one.opened_at.timestamp() >= opened - unrest.window_s]
        changes = [at.timestamp() for one in before for at in (one.opened_at, one.ended_at) if at] + [opened]
        if flap_score(changes, at=opened, window_s=unrest.window_s) >= unrest.high:
            alert = _flapping(alert, changes, rest, unrest, until)
        before.append(alert)
        yield alert


def _flapping(
    alert: SimulatedAlert, changes: list[float], rest: deque[SimulatedAlert], unrest: FlapThresholds, until: datetime
) -> SimulatedAlert:
    """`alert` with all of `rest` that comes before it is calm."""
    recent, number, last = sorted(changes), len(changes), alert
    while True:
        if last.ended_at is None or last.ended_at.timestamp() >= _calm(recent, unrest):
            return alert._replace(ended_at=last.ended_at, changes=number)  # still wrong: it goes on as any alert
        recent.append(last.ended_at.timestamp())
        calm_at = _calm(recent, unrest)
        if not rest or rest[0].opened_at.timestamp() >= calm_at:
            ended_at = datetime.fromtimestamp(calm_at, UTC)
            return alert._replace(ended_at=ended_at if ended_at <= until else None, changes=number + 1)
        last = rest.popleft()
        recent.append(last.opened_at.timestamp())
        number += 2
        alert = worst_of(alert, last)


def _calm(recent: list[float], unrest: FlapThresholds) -> float:
    return stable_from(recent[-FULL:], low=unrest.low, window_s=unrest.window_s)


def _opened(firing: SimulatedAlert) -> datetime:
    return firing.opened_at
