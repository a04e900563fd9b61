"""Past reports of many terminals in chronological order, for previews."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from math import isfinite
from typing import NamedTuple

from django.db import models
from django.db.models.fields.json import KeyTransform

from tms.telemetry.models import Report, Rollup
from tms.telemetry.rollups import hourly

HOUR = timedelta(hours=1)


class Past(NamedTuple):
    """One live report with the value of the requested metric; None if the report has no such value."""

    terminal_id: int
    taken_at: datetime
    received_at: datetime
    value: float | None


type Hours = dict[datetime, set[int]]
"""The terminals to read, by hour."""


def live_reports(terminal_ids: Collection[int], metric: str, since: datetime, until: datetime) -> Iterator[Past]:
    """Live reports in chronological order. Late reports are left out, because no rule evaluated them."""
    rows = Report.objects.filter(terminal__in=terminal_ids, at__gte=since, at__lt=until, late=False).order_by("at")
    value = KeyTransform(metric, "metrics") if metric else models.Value(None, output_field=models.FloatField())
    for row in rows.annotate(value=value).values_list("terminal", "at", "received_at", "value").iterator():
        yield Past(*row)


def hours_beyond(
    terminal_ids: Collection[int], metric: str, *, high: float, low: float, since: datetime, until: datetime
) -> Hours:
    """The hours in which a metric may have been at or beyond `high` or `low`, each with the hour after it.

    Derived from the roll-ups. Hours without a roll-up are returned for all terminals.
    """
    begin = hourly.hour_of(since)
    rolled = Rollup.objects.filter(terminal__in=terminal_ids, metric=metric, hour__gte=begin, hour__lt=until)
    limits = {"highest__gte": high, "lowest__lte": low}
    beyond = rolled.filter(
        models.Q(*((name, limit) for name, limit in limits.items() if isfinite(limit)), _connector="OR")
    )
    hours: Hours = {}
    for terminal_id, hour in beyond.values_list("terminal", "hour"):
        hours.setdefault(hour, set()).add(terminal_id)
        hours.setdefault(hour + HOUR, set()).add(terminal_id)
    rolled_until = hourly.until(until)
    for hour in all_hours(max(begin, rolled_until), until):
        hours[hour] = set(terminal_ids)
    return hours


def all_hours(since: datetime, until: datetime) -> list[datetime]:
    begin = hourly.hour_of(since)
    return [begin + number * HOUR for number in range(-((begin - until) // HOUR))]


def extremes(
    terminal_ids: Collection[int], metric: str, since: datetime, until: datetime
) -> list[tuple[datetime, float, float]]:
    """The lowest and highest value of these terminals, by hour."""
    rows = Rollup.objects.filter(
        terminal__in=terminal_ids, metric=metric, hour__gte=hourly.hour_of(since), hour__lt=until
    )
    by_hour = rows.order_by("hour").values_list("hour").annotate(models.Min("lowest"), models.Max("highest"))
    return [(hour, lowest, highest) for hour, lowest, highest in by_hour]
