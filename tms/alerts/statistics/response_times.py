"""How long it took until somebody was on an alert, and until it was over: by severity, by site, and altogether.

Left out of the times, and counted apart: what was quiet when it opened, for nobody was told of it. An alert counts as
acknowledged once, when somebody took it first; one that recovered before has no time to tell.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from tms.alerts.models.alert import Alert, AlertState

LATE = 0.9


class By(Enum):
    ALL = "all"
    SEVERITY = "severity"
    SITE = "site"


class Spread(NamedTuple):
    """Of `number` durations, in seconds; None without any."""

    number: int = 0
    mean_s: float | None = None
    median_s: float | None = None
    late_s: float | None = None
    """Nine in ten were quicker."""


class ResponseTimes(NamedTuple):
    by: By
    key: str | int
    """A severity, or the primary key of a site."""
    opened: int
    quiet: int
    alone: int
    """Over before anybody acknowledged."""
    waiting: int
    """Not over, and nobody acknowledged yet."""
    acknowledged: Spread
    resolved: Spread


class _Row(NamedTuple):
    severity: str
    site: int
    is_over: bool
    is_quiet: bool
    acknowledged_s: float | None
    resolved_s: float | None


COLUMNS = ("severity", "terminal__site", "state", "quiet_at_first", "opened_at", "first_acknowledged_at", "resolved_at")


def times(alerts: QuerySet[Alert]) -> list[ResponseTimes]:
    """Of `alerts`, in one query: all, then by severity, then by site. Groups without any have no line."""
    chosen = alerts.order_by().values_list(*COLUMNS)
    lines = _counted_there(chosen) if connection.vendor == "postgresql" else _counted_here(_rows(chosen))
    return sorted(lines, key=_place)


def _place(line: ResponseTimes) -> tuple[int, str | int]:
    return tuple(By).index(line.by), line.key


# The ORM has neither grouping sets nor percentiles. The mean of 100,000 alerts must not carry them all over the wire.
COUNT = """
    WITH chosen (severity, site, state, quiet, opened_at, taken_at, resolved_at) AS ({chosen}),
    timed AS (
        SELECT severity, site, state = 'resolved' AS is_over, coalesce(quiet, '') <> '' AS is_quiet,
            extract(epoch FROM taken_at - opened_at)::float8 AS acknowledged_s,
            extract(epoch FROM resolved_at - opened_at)::float8 AS resolved_s
        FROM chosen
    )
    SELECT grouping(severity, site), severity, site, count(*), count(*) FILTER (WHERE is_quiet),
        count(*) FILTER (WHERE NOT is_quiet AND is_over AND acknowledged_s IS NULL),
        count(*) FILTER (WHERE NOT is_quiet AND NOT is_over AND acknowledged_s IS NULL),
        count(acknowledged_s) FILTER (WHERE NOT is_quiet), avg(acknowledged_s) FILTER (WHERE NOT is_quiet),
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY acknowledged_s) FILTER (WHERE NOT is_quiet),
        count(resolved_s) FILTER (WHERE NOT is_quiet), avg(resolved_s) FILTER (WHERE NOT is_quiet),
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY resolved_s) FILTER (WHERE NOT is_quiet)
    FROM timed GROUP BY GROUPING SETS ((severity), (site), ()) HAVING count(*) > 0
"""
GROUPINGS = {0b01: By.SEVERITY, 0b10: By.SITE, 0b11: By.ALL}


def _counted_there(chosen: QuerySet[Alert, Any]) -> list[ResponseTimes]:
    sql, parameters = chosen.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(COUNT.format(chosen=sql), parameters)
        return [_line(*row) for row in cursor.fetchall()]


def _line(grouping: int, severity: str | None, site: int | None, *numbers: Any) -> ResponseTimes:
    opened, quiet, alone, waiting, taken, taken_mean, first_acknowledged_at, over, over_mean, over_at = numbers
    return ResponseTimes(
        GROUPINGS[grouping],
        severity or site or "",
        opened,
        quiet,
        alone,
        waiting,
        Spread(taken, taken_mean, *(first_acknowledged_at or ())),
        Spread(over, over_mean, *(over_at or ())),
    )


def _rows(chosen: QuerySet[Alert, Any]) -> list[_Row]:
    return [
        _Row(
            severity,
            site,
            state == AlertState.RESOLVED,
            bool(quiet),
            (first_acknowledged_at - opened_at).total_seconds() if first_acknowledged_at else None,
            (resolved_at - opened_at).total_seconds() if resolved_at else None,
        )
        for severity, site, state, quiet, opened_at, first_acknowledged_at, resolved_at in chosen
    ]


def _counted_here(rows: Sequence[_Row]) -> list[ResponseTimes]:
    lines = [_counted(By.ALL, "", rows)] if rows else []
    for by, key in ((By.SEVERITY, itemgetter(0)), (By.SITE, itemgetter(1))):
        lines += [_counted(by, name, list(group)) for name, group in groupby(sorted(rows, key=key), key)]
    return lines


def _counted(by: By, key: str | int, rows: Sequence[_Row]) -> ResponseTimes:
    loud = [row for row in rows if not row.is_quiet]
    untaken = [row for row in loud if row.acknowledged_s is None]
    return ResponseTimes(
        by,
        key,
        opened=len(rows),
        quiet=len(rows) - len(loud),
        alone=sum(row.is_over for row in untaken),
        waiting=sum(not row.is_over for row in untaken),
        acknowledged=_spread(row.acknowledged_s for row in loud),
        resolved=_spread(row.resolved_s for row in loud),
    )


def _spread(durations: Iterable[float | None]) -> Spread:
    known = sorted(duration for duration in durations if duration is not None)
    if not known:
        return Spread()
    return Spread(len(known), sum(known) / len(known), _at(known, 0.5), _at(known, LATE))


def _at(known: Sequence[float], share: float) -> float:
    """Between two of them in proportion, as percentile_cont of PostgreSQL."""
    place = share * (len(known) - 1)
    below = int(place)
    above = min(below + 1, len(known) - 1)
    return known[below] + (known[above] - known[below]) * (place - below)
