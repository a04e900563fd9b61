"""Readings and presence of one terminal over a span, as a chart needs them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import connection

from tms.fleet.models import Presence, PresenceChange, Terminal
from tms.telemetry.models import Report


class Span(NamedTuple):
    length: timedelta
    bucket_s: int
    """Readings within one bucket become their mean: about as many points as a chart has pixels."""


SPANS: Mapping[str, Span] = {
    "30m": Span(timedelta(minutes=30), 1),
    "6h": Span(timedelta(hours=6), 30),
    "7d": Span(timedelta(days=7), 15 * 60),
}
DEFAULT_SPAN = "30m"

# A reading is a key of a JSON object: the ORM can neither unfold nor average them.
BUCKETS = {
    "postgresql": """
        SELECT floor(extract(epoch FROM r.at) / %s)::bigint * %s, m.key, avg(m.value::double precision), bool_or(r.late)
        FROM {table} AS r, jsonb_each_text(r.metrics) AS m
        WHERE r.terminal_id = %s AND r.at >= %s AND r.at <= %s GROUP BY 1, 2 ORDER BY 1
    """,
    "sqlite": """
        SELECT CAST(strftime('%%s', r.at) AS INTEGER) / %s * %s AS bucket, m.key, avg(m.value), max(r.late)
        FROM {table} AS r, json_each(r.metrics) AS m
        WHERE r.terminal_id = %s AND r.at >= %s AND r.at <= %s GROUP BY 1, 2 ORDER BY 1
    """,
}


@dataclass(frozen=True, slots=True)
class Readings:
    """`metrics` and `late` have one value for each of `at` (seconds since the epoch); None where nothing was read."""

    at: list[int]
    metrics: dict[str, list[float | None]]
    late: list[int]


class Stretch(NamedTuple):
    """A presence from one instant to another, in seconds since the epoch."""

    start: float
    end: float
    presence: str


def readings(terminal: Terminal, span: Span, *, at: datetime) -> Readings:
    sql = BUCKETS[connection.vendor].format(table=Report._meta.db_table)
    since = at - span.length
    with connection.cursor() as cursor:
        cursor.execute(sql, [span.bucket_s, span.bucket_s, terminal.pk, *map(_moment, (since, at))])
        return _columns(cursor.fetchall())


def presences(terminal: Terminal, span: Span, *, at: datetime) -> list[Stretch]:
    """What the link did over the span, oldest first, without holes."""
    since = at - span.length
    changes = PresenceChange.objects.filter(terminal=terminal, at__lte=at)
    within = list(changes.filter(at__gt=since).order_by("at").values_list("at", "presence", "before"))
    first = within[0][2] if within else _before(terminal, since)
    marks = [(since, first), *((moment, presence) for moment, presence, _ in within)]
    ends = [moment for moment, _ in marks[1:]] + [at]
    return [
        Stretch(start.timestamp(), end.timestamp(), presence)
        for (start, presence), end in zip(marks, ends, strict=True)
    ]


def newest(terminal: Terminal, *, limit: int, at: datetime) -> list[tuple[datetime, Mapping[str, float]]]:
    """The newest readings, newest first: what a chart says to whoever cannot see it."""
    rows = Report.objects.filter(terminal=terminal, at__lte=at).exclude(metrics={}).order_by("-at")
    return list(rows.values_list("at", "metrics")[:limit])


def _before(terminal: Terminal, at: datetime) -> str:
    last = PresenceChange.objects.filter(terminal=terminal, at__lte=at).order_by("-at").first()
    return last.presence if last else Presence.NEVER.value


def _columns(rows: Sequence[tuple[int, str, float, object]]) -> Readings:
    at = sorted({int(row[0]) for row in rows})
    index = {bucket: position for position, bucket in enumerate(at)}
    metrics: dict[str, list[float | None]] = {}
    late = [0] * len(at)
    for bucket, name, value, is_late in rows:
        position = index[int(bucket)]
        metrics.setdefault(name, [None] * len(at))[position] = round(value, 3)
        late[position] = late[position] or int(bool(is_late))
    return Readings(at, metrics, late)


def _moment(at: datetime) -> datetime | str:
    """As the database compares instants: SQLite has only text."""
    return at if connection.vendor == "postgresql" else at.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
