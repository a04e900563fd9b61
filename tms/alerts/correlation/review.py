"""Follows the alerts of an incident: it grows and shrinks, worsens and improves, and is resolved."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Q

from tms.alerts.correlation import actions
from tms.alerts.correlation.evidence.common_factor import common_factor
from tms.alerts.correlation.incident_transitions import REOPENED_FIELDS, publish_incident, resolved_fields, transition
from tms.alerts.lifecycle.alert_transitions import UNCLAIMED_FIELDS
from tms.alerts.locks import lock_members
from tms.alerts.models.alert import Alert, AlertState, Contract
from tms.alerts.models.incident import Incident, IncidentState
from tms.alerts.models.incident import IncidentTransitionKind as Kind
from tms.alerts.models.membership import MembershipChange
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.lib.severity import Severity, is_worse

SAME_TRANSITION = timedelta(seconds=10)
"""Alerts that join or are resolved within this time of the last ones belong to the same transition."""
UNCHANGED_FOR = timedelta(minutes=10)
"""An incident without changes for this long and with few alerts left is dissolved: these few have other causes."""
FEW_PCT = 10

UNRESOLVED = ~Q(state=AlertState.RESOLVED)


class MemberCounts(NamedTuple):
    """Counts of the alerts of one incident."""

    joined_count: int = 0
    terminals: int = 0
    open_count: int = 0
    critical: int = 0
    warning: int = 0
    untouched: int = 0

    @property
    def resolved_count(self) -> int:
        return self.joined_count - self.open_count

    @property
    def severity(self) -> Severity:
        return Severity.CRITICAL if self.critical else Severity.WARNING if self.warning else Severity.INFO


def review(incidents: Sequence[Incident], *, at: datetime) -> None:
    counts = _member_counts(incidents) if incidents else {}
    for incident in incidents:
        _review(incident, counts.get(incident.pk, MemberCounts()), at)


def _member_counts(incidents: Iterable[Incident]) -> dict[int, MemberCounts]:
    """The counts of all these incidents, by one query."""
    rows = (
        Alert.objects.filter(incident__in=incidents)
        .values_list("incident")
        .annotate(
            joined_count=Count("pk"),
            terminals=Count("terminal", distinct=True),
            open_count=Count("pk", filter=UNRESOLVED),
            critical=Count("pk", filter=UNRESOLVED & Q(severity=Severity.CRITICAL)),
            warning=Count("pk", filter=UNRESOLVED & Q(severity=Severity.WARNING)),
            untouched=Count("pk", filter=actions.UNTOUCHED),
        )
    )
    return {pk: MemberCounts(*row) for pk, *row in rows}


def _review(incident: Incident, counts: MemberCounts, at: datetime) -> None:
    has_grown = _follow_members(incident, counts, at)
    if not counts.open_count:
        transition(incident, Kind.RESOLVED, at=at, fields=resolved_fields(at))
        return
    is_worse = _follow_severity(incident, counts.severity, at)
    _end_contract(incident, at, is_worse=is_worse, has_grown=has_grown)
    if incident.claimed_until is not None and incident.claimed_until <= at:
        transition(incident, Kind.UNCLAIMED, at=at, fields=UNCLAIMED_FIELDS)
    # Not only those that joined just now: an earlier pass may have skipped alerts that were locked.
    if counts.untouched:
        actions.cover_new(incident, at=at)
    # The few that remain of a large loss have another cause, and get their own notifications.
    if at - incident.unchanged_since >= UNCHANGED_FOR and counts.open_count * 100 <= max(
        100, incident.joined_count * FEW_PCT
    ):
        _dissolve(incident, at)


def _follow_members(incident: Incident, counts: MemberCounts, at: datetime) -> bool:
    """Whether alerts joined since the last review."""
    # Without this, deleted alerts would hide as many new ones: only the difference is counted.
    if counts.joined_count < incident.joined_count or counts.resolved_count < incident.resolved_count:
        _leave_out_deleted(incident, counts)
    more = counts.joined_count - incident.joined_count
    fewer = counts.resolved_count - incident.resolved_count
    if not more and not fewer:
        return False
    incident.unchanged_since = at
    if more > 0:
        incident.lost = max(incident.lost, counts.terminals)
        incident.size = max(incident.size, incident.lost)
        _count_in(incident, Kind.JOINED, more, at, joined_count=counts.joined_count)
        common_factor(incident)
    if fewer:
        _count_in(incident, Kind.MEMBERS_RESOLVED, fewer, at, resolved_count=counts.resolved_count)
    return more > 0


def _leave_out_deleted(incident: Incident, counts: MemberCounts) -> None:
    """Alerts are deleted with their terminals."""
    resolved = max(0, incident.resolved_count - counts.resolved_count)
    incident.resolved_count -= resolved
    incident.joined_count = min(incident.joined_count - resolved, counts.joined_count)
    incident.save(update_fields=("joined_count", "resolved_count"))
    publish_incident(incident)


def _count_in(incident: Incident, kind: Kind, number: int, at: datetime, **fields: int) -> None:
    """Extends the last transition if it is recent and of the same kind: in an alert storm alerts join one after
    another.
    """
    last = incident.transitions.last()
    same = (Kind.OPENED, Kind.JOINED) if kind is Kind.JOINED else (kind,)
    if last is None or last.kind not in same or at - last.at >= SAME_TRANSITION:
        transition(incident, kind, at=at, number=number, fields=fields)
        return
    for name, value in fields.items():
        setattr(incident, name, value)
    # New members outdate dialogs that were opened before, although no transition is recorded.
    incident.version += kind is Kind.JOINED
    incident.save()
    last.number, last.open_count = last.number + number, incident.open_count
    last.save(update_fields=("number", "open_count"))
    publish_incident(incident)


def _follow_severity(incident: Incident, now: Severity, at: datetime) -> bool:
    """Record a change of severity. Returns whether it worsened."""
    if now == incident.severity:
        return False
    has_worsened = is_worse(now, than=incident.severity)
    transition(incident, Kind.WORSENED if has_worsened else Kind.EASED, at=at, fields={"severity": now})
    return has_worsened


def _end_contract(incident: Incident, at: datetime, *, is_worse: bool, has_grown: bool) -> None:
    """End an acknowledgement as for an alert: a higher severity ends each; more alerts end one until it worsens."""
    if incident.state != IncidentState.ACKNOWLEDGED:
        return
    if is_worse or (has_grown and incident.contract == Contract.WORSE):
        transition(incident, Kind.REOPENED_WORSE, at=at, fields=REOPENED_FIELDS)
    elif incident.until is not None and incident.until <= at:
        transition(incident, Kind.EXPIRED, at=at, fields=REOPENED_FIELDS)


def _dissolve(incident: Incident, at: datetime) -> None:
    """Resolve it; its unresolved alerts no longer belong to it, and are notified on their own.

    If another transaction has locked one of them, the next review does it.
    """
    if not lock_members([incident]):
        return
    rest = list(actions.alerts_of(incident).values_list("pk", flat=True))
    Alert.objects.filter(pk__in=rest).update(incident=None)
    MembershipChange.objects.record(dict.fromkeys(rest, incident.pk), incident=None, at=at)
    incident.resolved_count = incident.joined_count
    transition(incident, Kind.DISSOLVED, at=at, number=len(rest), fields=resolved_fields(at))
    publish(Change(alerts=frozenset(rest)))
