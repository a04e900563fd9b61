"""How much happened when: for the slider of a replay."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, F, Func, IntegerField, Model, Q, QuerySet, Value
from django.db.models.sql.compiler import SQLCompiler

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.models import Alert, Incident
from tms.fleet.models import Outage
from tms.lib.severity import Severity

MOST_BUCKETS = 2_000
COUNTED: dict[str, tuple[type[Model], str, Q]] = {
    "alerts": (Alert, "opened_at", Q()),
    "critical": (Alert, "opened_at", Q(severity=Severity.CRITICAL)),
    "incidents": (Incident, "opened_at", Q()),
    "outages": (Outage, "began_at", Q()),
}
"""What a bucket counts: rows of a model, by an instant (indexes: alert_opened, incident_opened, outage_began)."""
EVENTS: tuple[tuple[type[Model], str], ...] = (
    (Alert, "opened_at"),
    (Alert, "resolved_at"),
    (Incident, "opened_at"),
    (Incident, "resolved_at"),
)


class Bucket(NamedTuple):
    begins_at: datetime
    alerts: int = 0
    """How many opened within it."""
    incidents: int = 0
    outages: int = 0
    critical: int = 0
    """Of the alerts, those that were critical in the end."""


class BucketNumber(Func):
    """The number of the bucket that an instant lies in."""

    output_field = IntegerField()

    def __init__(self, at: Any, *, since_s: float, length_s: float) -> None:
        super().__init__(at)
        self.since_s, self.length_s = since_s, length_s

    def as_postgresql(self, compiler: SQLCompiler, connection: Any, **context: Any) -> tuple[str, Any]:
        """`date_part` returns a float; `extract` a numeric, which is much slower."""
        at, parameters = compiler.compile(self.source_expressions[0])
        return self._number(f"date_part('epoch', {at})"), parameters

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **context: Any) -> tuple[str, Any]:
        at, parameters = compiler.compile(self.source_expressions[0])
        whole, part = f"CAST(strftime('%%s', {at}) AS integer)", f"CAST('0' || substr({at}, 20) AS real)"
        return self._number(f"{whole} + {part}"), (*parameters, *parameters)

    def _number(self, epoch: str) -> str:
        return f"CAST(floor(({epoch} - {self.since_s!r}) / {self.length_s!r}) AS integer)"


def density(since: datetime, until: datetime, *, buckets: int, scope: Scope) -> list[Bucket]:
    """Equal parts of the time from `since` to before `until`, in order, in one query. Raises ValueError for an empty
    time or too many parts.
    """
    if not 0 < buckets <= MOST_BUCKETS or since >= until:
        raise ValueError(f"{buckets} buckets from {since} to {until}: expected 1 to {MOST_BUCKETS}, and a time")
    length = (until - since) / buckets
    first, *others = (_counts(name, since, until, length, scope) for name in COUNTED)
    numbers: dict[int, dict[str, int]] = {}
    for what, bucket, number in first.union(*others, all=True):
        of_bucket = numbers.setdefault(min(max(bucket, 0), buckets - 1), {})
        of_bucket[what] = of_bucket.get(what, 0) + number
    return [Bucket(since + length * index, **numbers.get(index, {})) for index in range(buckets)]


def event_before(at: datetime, since: datetime, scope: Scope) -> datetime | None:
    """The newest instant before `at`, and not before `since`, at which an alert or incident opened or was resolved."""
    found = (rows.order_by(f"-{column}").first() for rows, column in _events(scope, "__lt", at, "__gte", since))
    return max(filter(None, found), default=None)


def event_after(at: datetime, until: datetime, scope: Scope) -> datetime | None:
    """The first instant after `at`, up to `until`, at which an alert or incident opened or was resolved."""
    found = (rows.order_by(column).first() for rows, column in _events(scope, "__gt", at, "__lte", until))
    return min(filter(None, found), default=None)


def _counts(name: str, since: datetime, until: datetime, length: timedelta, scope: Scope) -> QuerySet[Any]:
    model, column, counted = COUNTED[name]
    rows = model._default_manager.filter(counted, **{f"{column}__gte": since, f"{column}__lt": until}).order_by()
    bucket = BucketNumber(F(column), since_s=since.timestamp(), length_s=length.total_seconds())
    named = within(rows, scope).annotate(what=Value(name), bucket=bucket)
    counts: QuerySet[Any] = named.values_list("what", "bucket").annotate(number=Count("*"))
    return counts


def _events(
    scope: Scope, near: str, at: datetime, far: str, limit: datetime
) -> Iterator[tuple[QuerySet[Any, datetime], str]]:
    for model, column in EVENTS:
        rows = model._default_manager.filter(**{f"{column}{near}": at, f"{column}{far}": limit})
        yield within(rows, scope).values_list(column, flat=True), column
