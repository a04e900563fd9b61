"""How many terminals of an incident were away, over time: a step line, as an SVG path without text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from tms.alerts.models import AlertQuerySet, IncidentTransitionKind
from tms.boards.rows.incidents import IncidentRow

MAX_ALERTS = 5_000
WIDTH, HEIGHT = 400.0, 160.0
MIN_RANGE = timedelta(minutes=2)
STEP = timedelta(seconds=15)
"""The right end moves in steps, so that the curve of a quiet incident is not sent again and again."""
PINNED = {
    IncidentTransitionKind.ACKNOWLEDGED,
    IncidentTransitionKind.WORSENED,
    IncidentTransitionKind.REOPENED_WORSE,
    IncidentTransitionKind.RESOLVED,
}
MAX_PINS = 4


class Pin(NamedTuple):
    x: float
    """The position in per cent of the width."""
    kind: str


@dataclass(frozen=True, slots=True)
class Curve:
    path: str
    area: str
    top: int
    """The value at the upper edge."""
    now: int
    since: datetime
    middle: datetime
    until: datetime
    pins: tuple[Pin, ...]


def curve_of(incident: IncidentRow, alerts: AlertQuerySet, *, at: datetime) -> Curve | None:
    """`alerts`: those of the incident that the person sees. None without them, as after they were deleted."""
    spans = _spans(alerts, until=at if incident.is_past else None)
    if not spans:
        return None
    first = min(opened for opened, _ in spans)
    end = incident.resolved_at or max((end for _, end in spans if end), default=first)
    if not incident.resolved_at:
        end = at if incident.is_past else max(at, end) + STEP - (at - datetime.min.replace(tzinfo=at.tzinfo)) % STEP
    until = max(end, first + MIN_RANGE)
    since = first - (until - first) / 12
    points = _points(spans, until=until)
    top = max(number for _, number in points) or 1
    line = _line(points, since=since, until=until, top=top)
    pins = _pins(incident, since=since, until=until)
    middle = since + (until - since) / 2
    return Curve(line, f"{line}V{HEIGHT:g}H0Z", top, points[-1][1], since, middle, until, pins)


type Spans = Sequence[tuple[datetime, datetime | None]]


def _spans(alerts: AlertQuerySet, *, until: datetime | None) -> Spans:
    """When each terminal was away, from its first alert to the end of the last.

    `until`: as it was at this past instant.
    """
    found: dict[int, tuple[datetime, datetime | None]] = {}
    rows = alerts.order_by("opened_at").values_list("terminal", "opened_at", "resolved_at")[:MAX_ALERTS]
    for terminal, opened, over in rows:
        resolved = None if over and until and over > until else over
        began, ended = found.get(terminal, (opened, resolved))
        found[terminal] = (began, None if resolved is None or ended is None else max(ended, resolved))
    return list(found.values())


def _points(spans: Spans, *, until: datetime) -> list[tuple[datetime, int]]:
    """Instants and the number from then on."""
    moves = sorted(
        [(opened, 1) for opened, _ in spans] + [(ended, -1) for _, ended in spans if ended and ended <= until]
    )
    points, number = [], 0
    for instant, by in moves:
        number += by
        points.append((instant, number))
    return points


def _line(points: Iterable[tuple[datetime, int]], *, since: datetime, until: datetime, top: int) -> str:
    steps = [f"M0 {HEIGHT:g}"]
    for instant, number in points:
        x = _x(instant, since=since, until=until) * WIDTH / 100
        steps.append(f"H{x:.1f}V{HEIGHT * (1 - number / top):.1f}")
    return "".join([*steps, f"H{WIDTH:g}"])


def _x(instant: datetime, *, since: datetime, until: datetime) -> float:
    return min(100.0, max(0.0, 100 * ((instant - since) / (until - since))))


def _pins(incident: IncidentRow, *, since: datetime, until: datetime) -> tuple[Pin, ...]:
    chosen = [row for row in incident.transitions if row.kind in PINNED][-MAX_PINS:]
    return tuple(Pin(round(_x(row.at, since=since, until=until), 1), row.kind) for row in chosen)
