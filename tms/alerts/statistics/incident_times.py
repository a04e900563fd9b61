"""Response times of incidents: how long until the first acknowledgement, and until they were resolved."""

from typing import NamedTuple

from django.db.models import Min, Q, QuerySet

from tms.alerts.models import Incident, IncidentState, IncidentTransitionKind
from tms.alerts.statistics.response_times import Spread, spread

MAX_INCIDENTS = 10_000


class IncidentTimes(NamedTuple):
    number: int
    terminals: int
    resolved_unacknowledged: int
    time_to_acknowledge: Spread
    time_to_resolve: Spread


def times(incidents: QuerySet[Incident]) -> IncidentTimes:
    """The response times of `incidents`, the newest 10,000 at most; one query."""
    kind = IncidentTransitionKind.ACKNOWLEDGED
    first = Min("transitions__at", filter=Q(transitions__kind=kind))
    found = incidents.order_by("-opened_at").annotate(first_acknowledged_at=first)
    columns = ("lost", "state", "opened_at", "first_acknowledged_at", "resolved_at")
    rows = list(found.values_list(*columns)[:MAX_INCIDENTS])
    return IncidentTimes(
        number=len(rows),
        terminals=sum(lost for lost, *_ in rows),
        resolved_unacknowledged=sum(
            state == IncidentState.RESOLVED and acknowledged is None for _, state, _, acknowledged, _ in rows
        ),
        time_to_acknowledge=spread((until - opened).total_seconds() for _, _, opened, until, _ in rows if until),
        time_to_resolve=spread((until - opened).total_seconds() for *_, opened, _, until in rows if until),
    )
