"""Moves alerts to another incident, or out of theirs."""

from collections.abc import Mapping
from datetime import datetime

from tms.alerts.models.alert import Alert
from tms.alerts.models.incident import Incident
from tms.alerts.models.membership import MembershipChange
from tms.feed.change import Change
from tms.feed.publisher import publish


def reassign(before: Mapping[int, int | None], *, incident: Incident | None, at: datetime) -> None:
    """Alerts belong to `incident` from now on, to none without it. `before`: the incident of each until now.

    A member is not separate; one that leaves is marked by its caller.
    """
    if not before:
        return
    changed = {"incident": incident} | ({"is_separate": False} if incident else {})
    Alert.objects.filter(pk__in=before).update(**changed)
    MembershipChange.objects.record(before, incident=incident, at=at)
    touched = {incident.pk if incident else None, *before.values()} - {None}
    publish(Change(alerts=frozenset(before), incidents=frozenset(pk for pk in touched if pk is not None)))
