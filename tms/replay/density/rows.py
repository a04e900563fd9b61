"""Counts what began within a time from the rows themselves."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, F, Model, Q, QuerySet, Value

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.models import Alert, Incident
from tms.fleet.models import Outage
from tms.lib.severity import Severity
from tms.replay.density.buckets import Division


class CountedRows(NamedTuple):
    """Rows of a model, by an instant."""

    model: type[Model]
    column: str
    counted: Q = Q()

    def rows(self, spans: Sequence["Span"]) -> QuerySet[Any]:
        within_one = Q(*(span.holds(self.column) for span in spans), _connector=Q.OR)
        return self.model._default_manager.filter(self.counted, within_one).order_by()


class Span(NamedTuple):
    since: datetime
    until: datetime

    def holds(self, column: str) -> Q:
        return Q(**{f"{column}__gte": self.since, f"{column}__lt": self.until})


SOURCES: Mapping[str, CountedRows] = {
    "alerts": CountedRows(Alert, "opened_at"),
    "critical": CountedRows(Alert, "opened_at", Q(severity=Severity.CRITICAL)),
    "incidents": CountedRows(Incident, "opened_at"),
    "outages": CountedRows(Outage, "began_at"),
}
"""What each field of a bucket counts (indexes: alert_opened, incident_opened, outage_began)."""


def count_rows(spans: Mapping[str, Sequence[Span]], division: Division, scope: Scope) -> Iterator[QuerySet[Any]]:
    """Rows of field, bucket and number. `spans`: by field, the parts of the time to count."""
    for field, of_field in spans.items():
        if of_field:
            source = SOURCES[field]
            named = within(source.rows(of_field), scope).annotate(
                what=Value(field), bucket=division.number(F(source.column))
            )
            yield named.values_list("what", "bucket").annotate(number=Count("*"))
