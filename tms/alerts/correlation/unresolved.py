"""Unresolved alerts of incidents: which are unacknowledged, and which incidents are suppressed."""

from collections.abc import Collection
from datetime import datetime

from tms.alerts.models import Alert, AlertState
from tms.alerts.suppression.reasons import Suppression, suppressions_by_context

type Members = dict[int, list[Alert]]
"""Alerts by the primary key of their incident; incidents without alerts are missing."""


def members(incidents: Collection[int]) -> Members:
    """Their unresolved alerts, with their terminals and sites."""
    found: Members = {}
    if incidents:
        for alert in Alert.objects.unresolved().filter(incident__in=incidents).select_related("terminal__site"):
            found.setdefault(alert.incident_id or 0, []).append(alert)
    return found


def with_open_alerts(unresolved: Members) -> Members:
    """Incidents with unacknowledged alerts, and these alerts."""
    open_ones = {pk: [row for row in rows if row.state == AlertState.OPEN] for pk, rows in unresolved.items()}
    return {pk: rows for pk, rows in open_ones.items() if rows}


def suppressed_incidents(unresolved: Members, *, at: datetime) -> dict[int, Suppression]:
    """Incidents whose open alerts are all suppressed."""
    open_alerts = with_open_alerts(unresolved)
    reasons = (
        suppressions_by_context([row for rows in open_alerts.values() for row in rows], at=at) if open_alerts else {}
    )
    return {
        pk: min((reasons[row.pk] for row in rows), key=lambda why: why.until)
        for pk, rows in open_alerts.items()
        if all(row.pk in reasons for row in rows)
    }
