"""Orders of the list of incidents, each by one column and then by number.

The order by opening has an index (incident_opened). The others read all incidents that match the filter.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Least, Now
from django.utils.dateparse import parse_duration

from tms.accounts.scope import Scope
from tms.alerts.models import Incident
from tms.lib.pagination import Column, Keyset, instant
from tms.lib.sort_order import SortOrder

NEWEST_FIRST = SortOrder("opened", is_descending=True)
MAX_DURATION = timedelta(days=36_500)
"""That an incident may last, so that it fits into a column of any database."""


class IncidentSortKey(NamedTuple):
    expression: Combinable
    parse: Callable[[str], Any]


def _duration(text: str) -> timedelta:
    """Raises ValueError."""
    try:
        found = parse_duration(text)
    except OverflowError:
        found = None
    if found is None or abs(found) > MAX_DURATION:
        raise ValueError(text)
    return found


LASTED = ExpressionWrapper(Coalesce("resolved_at", Now()) - F("opened_at"), output_field=DurationField())
SORT_KEYS: Mapping[str, IncidentSortKey] = {
    "terminals": IncidentSortKey(F("lost"), int),
    "opened": IncidentSortKey(F("opened_at"), instant),
    "lasted": IncidentSortKey(LASTED, _duration),
}
"""Sort keys by column."""
BY_SEEN_TERMINALS = IncidentSortKey(Least("lost", "joined_count"), int)
"""The sort key of people who may not see all terminals of an incident: the number that their rows show."""


def ordered(incidents: QuerySet[Incident], order: SortOrder, *, scope: Scope) -> tuple[QuerySet[Incident], Keyset]:
    """The incidents with the columns of their order, and the order."""
    is_limited = order.column == "terminals" and not scope.is_everything
    key = BY_SEEN_TERMINALS if is_limited else SORT_KEYS[order.column]
    columns = (Column("sort_key", key.parse, order.is_descending), Column("pk", int, order.is_descending))
    return incidents.annotate(sort_key=key.expression), Keyset(columns)
