"""Which incident each alert belonged to."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from itertools import batched
from typing import NamedTuple

from django.db.models import QuerySet

from tms.alerts.models import Alert, Incident, MembershipChange
from tms.replay.state.base import KEYS, Instant


class Members(NamedTuple):
    incident_of: Mapping[int, int]
    """The incident of each alert; alerts without an incident are missing."""
    is_estimated: bool = False
    """Whether the time at which an alert joined was not recorded for some of them, and the opening of the incident
    counts instead.
    """


def members(current: Mapping[int, int | None], instant: Instant) -> Members:
    """`current`: the alerts, with their incidents of now."""
    known = _recorded_incidents(current.keys(), instant)
    unrecorded = {alert: incident for alert, incident in current.items() if alert not in known and incident is not None}
    estimated = {alert: before for alert, (before, is_known) in known.items() if before and not is_known} | unrecorded
    opened = _opened_incidents(set(estimated.values()), instant)
    found = {alert: incident for alert, (incident, is_known) in known.items() if incident and is_known}
    found |= {alert: incident for alert, incident in estimated.items() if incident in opened}
    return Members(found, is_estimated=bool(estimated))


def joined(incidents: Collection[int], instant: Instant, *, ongoing: Collection[int] = ()) -> dict[int, set[int]]:
    """The alerts that had ever belonged to each of these incidents, recorded or not.

    `ongoing`: those of them that do not count alerts that a person moved out, or whose merge was undone.
    """
    found: dict[int, set[int]] = {pk: set() for pk in incidents}
    changes = MembershipChange.objects.filter(incident__in=incidents)
    alerts_of_changes = set(changes.values_list("alert_id", flat=True))
    alerts = Alert.objects.filter(incident__in=incidents, opened_at__lte=instant.at)
    for alert, incident in alerts.values_list("pk", "incident"):
        if alert not in alerts_of_changes and incident is not None:
            found[incident].add(alert)
    for one in sorted({*_changes(changes, instant), *_departures(alerts_of_changes, ongoing, instant)}):
        if one.before is not None and one.before in ongoing:
            found[one.before].discard(one.alert)
        if one.incident in found:
            found[one.incident].add(one.alert)
    return found


class _Change(NamedTuple):
    """A change of membership; changes sort in the order in which they happened."""

    at: datetime
    pk: int
    alert: int
    before: int | None
    incident: int | None


def _changes(rows: QuerySet[MembershipChange], instant: Instant) -> Iterator[_Change]:
    for one in rows.values_list("at", "pk", "alert_id", "before_id", "incident_id"):
        change = _Change(*one)
        if not instant.is_later(MembershipChange, change.pk, change.at):
            yield change


def _departures(alerts: Collection[int], incidents: Collection[int], instant: Instant) -> Iterator[_Change]:
    """Alerts that left these incidents, read by alert because changes have no index of the incident before."""
    for chunk in batched(alerts if incidents else (), KEYS):
        yield from _changes(MembershipChange.objects.filter(alert__in=chunk, before__in=incidents), instant)


def _recorded_incidents(alerts: Collection[int], instant: Instant) -> dict[int, tuple[int | None, bool]]:
    """The incident of alerts with changes, and whether it is known since when: before the first change it is not."""
    found: dict[int, tuple[int | None, bool]] = {}
    for chunk in batched(alerts, KEYS):
        changes = MembershipChange.objects.filter(alert__in=chunk).order_by("at", "pk")
        for pk, alert, at, before, incident in changes.values_list("pk", "alert_id", "at", "before_id", "incident_id"):
            if not instant.is_later(MembershipChange, pk, at):
                found[alert] = incident, True
            elif alert not in found:
                found[alert] = before, before is None
    return found


def _opened_incidents(incidents: Collection[int], instant: Instant) -> set[int]:
    return set(Incident.objects.filter(pk__in=incidents, opened_at__lte=instant.at).values_list("pk", flat=True))
