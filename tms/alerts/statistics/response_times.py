"""Response times: how long until alerts were acknowledged (MTTA) and resolved (MTTR), by severity, by site, and in
total.

Alerts that were suppressed when they opened are excluded from the times, and counted separately, because nobody was
notified. Only the first acknowledgement counts; an alert that was resolved before has no time to acknowledge.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from tms.alerts.models.alert import Alert, AlertState

P90 = 0.9


class By(Enum):
    ALL = "all"
    SEVERITY = "severity"
    SITE = "site"


class Spread(NamedTuple):
    """The spread of `number` durations, in seconds; None without any."""

    number: int = 0
    mean_s: float | None = None
    median_s: float | None = None
    p90_s: float | None = None


class ResponseTimes(NamedTuple):
    by: By
    key: str | int
    """A severity, or the primary key of a site."""
    opened: int
    suppressed: int
    resolved_unacknowledged: int
    unacknowledged: int
    """Unresolved and unacknowledged."""
    time_to_acknowledge: Spread
    time_to_resolve: Spread


class _Row(NamedTuple):
    severity: str
    site: int
    is_resolved: bool
    is_suppressed: bool
    acknowledged_s: float | None
    resolved_s: float | None


COLUMNS = (
    "severity",
    "terminal__site",
    "state",
    "suppressed_at_open",
    "opened_at",
    "first_acknowledged_at",
    "resolved_at",
)


def times(alerts: QuerySet[Alert]) -> list[ResponseTimes]:
    """The response times of `alerts`, in one query: in total, then by severity, then by site. Empty groups are left
    out.
    """
    chosen = alerts.order_by().values_list(*COLUMNS)
    lines = _counted_there(chosen) if connection.vendor == "postgresql" else _counted_here(_rows(chosen))
    return sorted(lines, key=_order)


def _order(line: ResponseTimes) -> tuple[int, str | int]:
    return tuple(By).index(line.by), line.key


# The ORM has neither grouping sets nor percentiles, and computing means in Python would read 100,000 rows.
COUNT = """
    WITH chosen (severity, site, state, suppressed, opened_at, acknowledged_at, resolved_at) AS ({chosen}),
    timed AS (
        SELECT severity, site, state = 'resolved' AS is_resolved, coalesce(suppressed, '') <> '' AS is_suppressed,
            extract(epoch FROM acknowledged_at - opened_at)::float8 AS acknowledged_s,
            extract(epoch FROM resolved_at - opened_at)::float8 AS resolved_s
        FROM chosen
    )
    SELECT grouping(severity, site), severity, site, count(*), count(*) FILTER (WHERE is_suppressed),
        count(*) FILTER (WHERE NOT is_suppressed AND is_resolved AND acknowledged_s IS NULL),
        count(*) FILTER (WHERE NOT is_suppressed AND NOT is_resolved AND acknowledged_s IS NULL),
        count(acknowledged_s) FILTER (WHERE NOT is_suppressed), avg(acknowledged_s) FILTER (WHERE NOT is_suppressed),
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY acknowledged_s) FILTER (WHERE NOT is_suppressed),
        count(resolved_s) FILTER (WHERE NOT is_suppressed), avg(resolved_s) FILTER (WHERE NOT is_suppressed),
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY resolved_s) FILTER (WHERE NOT is_suppressed)
    FROM timed GROUP BY GROUPING SETS ((severity), (site), ()) HAVING count(*) > 0
"""
GROUPINGS = {0b01: By.SEVERITY, 0b10: By.SITE, 0b11: By.ALL}


def _counted_there(chosen: QuerySet[Alert, object]) -> list[ResponseTimes]:
    sql, parameters = chosen.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(COUNT.format(chosen=sql), parameters)
        return [_line(*row) for row in cursor.fetchall()]


def _line(grouping: int, severity: str | None, site: int | None, *numbers: Any) -> ResponseTimes:
    opened, suppressed, resolved_unacknowledged, unacknowledged, *spreads = numbers
    acknowledged, mean_a, percentiles_a, resolved, mean_r, percentiles_r = spreads
    return ResponseTimes(
        GROUPINGS[grouping],
        severity or site or "",
        opened,
        suppressed,
        resolved_unacknowledged,
        unacknowledged,
        Spread(acknowledged, mean_a, *(percentiles_a or ())),
        Spread(resolved, mean_r, *(percentiles_r or ())),
    )


def _rows(chosen: QuerySet[Alert, tuple[Any, ...]]) -> list[_Row]:
    return [
        _Row(
            severity,
            site,
            state == AlertState.RESOLVED,
            bool(suppressed),
            (first_acknowledged_at - opened_at).total_seconds() if first_acknowledged_at else None,
            (resolved_at - opened_at).total_seconds() if resolved_at else None,
        )
        for severity, site, state, suppressed, opened_at, first_acknowledged_at, resolved_at in chosen
    ]


def _counted_here(rows: Sequence[_Row]) -> list[ResponseTimes]:
    lines = [_summarise(By.ALL, "", rows)] if rows else []
    for by, key in ((By.SEVERITY, itemgetter(0)), (By.SITE, itemgetter(1))):
        lines += [_summarise(by, name, list(group)) for name, group in groupby(sorted(rows, key=key), key)]
    return lines


def _summarise(by: By, key: str | int, rows: Sequence[_Row]) -> ResponseTimes:
    counted = [row for row in rows if not row.is_suppressed]
    never_acknowledged = [row for row in counted if row.acknowledged_s is None]
    return ResponseTimes(
        by,
        key,
        opened=len(rows),
        suppressed=len(rows) - len(counted),
        resolved_unacknowledged=sum(row.is_resolved for row in never_acknowledged),
        unacknowledged=sum(not row.is_resolved for row in never_acknowledged),
        time_to_acknowledge=spread(row.acknowledged_s for row in counted),
        time_to_resolve=spread(row.resolved_s for row in counted),
    )


def spread(durations: Iterable[float | None]) -> Spread:
    known = sorted(duration for duration in durations if duration is not None)
    if not known:
        return Spread()
    return Spread(len(known), sum(known) / len(known), _at(known, 0.5), _at(known, P90))


def _at(known: Sequence[float], share: float) -> float:
    """Interpolated linearly, as percentile_cont of PostgreSQL."""
    position = share * (len(known) - 1)
    below = int(position)
    above = min(below + 1, len(known) - 1)
    return known[below] + (known[above] - known[below]) * (position - below)
