"""A terminal's chart: readings and presence over a range, with the thresholds of its rules."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from django.db.models import Q

from tms.alerts.models import Alert, Rule, RuleSource
from tms.fleet.models import Terminal
from tms.telemetry.history import presence_intervals, series
from tms.telemetry.history.series import ChartRange, Lines, Readings

MAX_BYTES = 800_000
"""Values in one response, which keeps it below 1 MB."""
AROUND = timedelta(hours=1)
"""The chart of an alert begins so long before it opened, and ends so long after."""
AROUND_ALERT = ChartRange(2 * AROUND, 15)


class ChartData(TypedDict):
    """Columns for uPlot; instants are seconds since the epoch."""

    at: list[int]
    metrics: Lines
    lowest: Lines
    highest: Lines
    omitted: list[str]
    """Metrics for which one response has no room."""
    step: float
    """The distance of roll-ups, in seconds; 0 without."""
    late: list[int]
    presence: list[dict[str, object]]
    limits: dict[str, list[dict[str, object]]]


def chart(terminal: Terminal, span: ChartRange, *, at: datetime) -> ChartData:
    readings = series.readings(terminal, span, at=at)
    limits = _limits(terminal)
    names = _fitting(readings, first=limits)
    return {
        "at": readings.at,
        "metrics": {name: readings.metrics[name] for name in names},
        "lowest": {name: readings.lowest[name] for name in names if name in readings.lowest},
        "highest": {name: readings.highest[name] for name in names if name in readings.highest},
        "omitted": sorted(readings.metrics.keys() - set(names)),
        "step": span.bucket_s if span.is_rolled else 0,
        "late": readings.late,
        "presence": [
            {"from": interval.start, "to": interval.end, "presence": interval.presence}
            for interval in presence_intervals.presences(terminal, span.length, at=at)
        ],
        "limits": limits,
    }


def chart_of_alert(alert: Alert, *, until: datetime | None = None) -> ChartData:
    """The metric of its rule around the instant at which it opened, with the thresholds of this rule.

    It ends at the instant `until`, if that is earlier.
    """
    rule, end = alert.rule, alert.opened_at + AROUND
    found = chart(alert.terminal, AROUND_ALERT, at=min(end, max(until, alert.opened_at)) if until else end)
    own = {rule.metric} if rule.kind == RuleSource.METRIC else set()
    limits = [limit._asdict() for limit in rule.kind_object.chart_limits(rule)]
    return {
        **found,
        "metrics": _among(own, found["metrics"]),
        "lowest": _among(own, found["lowest"]),
        "highest": _among(own, found["highest"]),
        "omitted": [],
        "limits": dict.fromkeys(own, limits),
    }


def _among(names: Collection[str], lines: Lines) -> Lines:
    return {name: values for name, values in lines.items() if name in names}


def _fitting(readings: Readings, *, first: Collection[str]) -> Sequence[str]:
    """The names of as many metrics as one response holds, first those with rules."""
    names, room = [], MAX_BYTES
    for name in sorted(readings.metrics, key=lambda name: (name not in first, name)):
        lines = [lines[name] for lines in (readings.metrics, readings.lowest, readings.highest) if name in lines]
        room -= len(json.dumps(lines))
        if room < 0:
            break
        names.append(name)
    return names


def _limits(terminal: Terminal) -> dict[str, list[dict[str, object]]]:
    everywhere = Q(site=None) | Q(site=terminal.site_id)
    every_kind = Q(terminal_kind="") | Q(terminal_kind=terminal.kind)
    rules = Rule.objects.filter(everywhere, every_kind, enabled=True, kind=RuleSource.METRIC).order_by("limit")
    limits: dict[str, list[dict[str, object]]] = {}
    for rule in rules:
        drawn = [limit._asdict() for limit in rule.kind_object.chart_limits(rule)]
        if drawn:
            limits.setdefault(rule.metric, []).extend(drawn)
    return limits
