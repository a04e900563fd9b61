"""The worst value of a metric while an alert was open."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from tms.alerts.models import Alert
from tms.alerts.rule_kinds import RULE_KINDS
from tms.telemetry.history import samples
from tms.telemetry.rollups import hourly


class Peak(NamedTuple):
    value: float
    at: datetime


class _Extremes(NamedTuple):
    lowest: float
    highest: float


def peak_of(alert: Alert, *, at: datetime) -> Peak | None:
    """The worst value; None for a rule whose thresholds are no values of a metric, and while there is no report.

    Of an alert that is open for long only the hour of the extreme is read, not every report.
    """
    kind = RULE_KINDS[alert.rule.kind_name]
    if not kind.chart_limits(alert.rule):
        return None
    found = sorted(Peak(*each) for hour in _hours(alert, at=at) for each in _values(alert, hour, at=at))
    if not found:
        return None
    worst = kind.peak(_Extremes(found[0].value, found[-1].value))
    return next(one for one in found if one.value == worst)


def _hours(alert: Alert, *, at: datetime) -> set[datetime]:
    """The hour in which it opened, those that are not rolled up yet, and the one with the worst value between them."""
    end = min(alert.resolved_at or at, at)
    first = hourly.hour_of(alert.opened_at)
    hours = {first, *samples.all_hours(max(first, hourly.until(at)), end)}
    extremes = samples.extremes([alert.terminal_id], alert.rule.metric, first + samples.HOUR, end)
    if extremes:
        kind = RULE_KINDS[alert.rule.kind_name]
        lowest, highest = min(low for _, low, _ in extremes), max(high for _, _, high in extremes)
        worst = kind.peak(_Extremes(lowest, highest))
        hours.add(next(hour for hour, *values in extremes if worst in values))
    return hours


def _values(alert: Alert, hour: datetime, *, at: datetime) -> Iterator[tuple[float, datetime]]:
    since, until = max(hour, alert.opened_at), min(hour + samples.HOUR, alert.resolved_at or at, at)
    for past in samples.live_reports([alert.terminal_id], alert.rule.metric, since, until):
        if past.value is not None:
            yield past.value, past.taken_at
