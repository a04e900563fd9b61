"""Unresolved alerts of incidents: which are unacknowledged, and which incidents are suppressed."""

from collections.abc import Collection
from datetime import datetime

from tms.alerts.models import Alert, AlertState
from tms.alerts.suppression.reasons import Suppression, suppressions_by_context

type Members = dict[int, list[Alert]]
"""By the primary key of the incident; incidents without alerts are missing."""


def members(incidents: Collection[int]) -> Members:
    """Their unresolved alerts, with their terminals."""
    found: Members = {}
    if incidents:
        for alert in Alert.objects.unresolved().filter(incident__in=incidents).select_related("terminal"):
            found.setdefault(alert.incident_id or 0, []).append(alert)
    return found


def with_open_alerts(unresolved: Members) -> Members:
    """Incidents with unacknowledged alerts, and these alerts."""
    open_ones = {pk: [row for row in rows if row.state == AlertState.OPEN] for pk, rows in unresolved.items()}
    return {pk: rows for pk, rows in open_ones.items() if rows}


def suppressed_incidents(unresolved: Members, *, at: datetime) -> dict[int, Suppression]:
    """Incidents whose open alerts are all suppressed."""
    needy = with_open_alerts(unresolved)
    whys = suppressions_by_context([row for rows in needy.values() for row in rows], at=at) if needy else {}
    return {
        pk: min((whys[row.pk] for row in rows), key=lambda why: why.until)
        for pk, rows in needy.items()
        if all(row.pk in whys for row in rows)
    }
