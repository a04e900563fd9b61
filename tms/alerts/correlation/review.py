"""How the alerts of an incident stand, and what follows: it grows and shrinks, gets worse and eases, and is over."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Q

from tms.alerts.correlation import actions
from tms.alerts.correlation.common_factor import common_factor
from tms.alerts.correlation.transitions import REOPENED_FIELDS, publish_incident, transition
from tms.alerts.lifecycle.severity import RANKS
from tms.alerts.lifecycle.transitions import UNCLAIMED_FIELDS
from tms.alerts.models.alert import Alert, AlertState, Contract
from tms.alerts.models.incident import Incident, IncidentState
from tms.alerts.models.incident import IncidentTransitionKind as Kind
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.lib.severity import Severity

ONE_STEP = timedelta(seconds=10)
"""What joins or recovers within this time of the last that did is the same step."""
CALM = timedelta(minutes=10)
"""When nothing moved for so long, and few are left, these few have troubles of their own."""
FEW_PCT = 10

UNRESOLVED = ~Q(state=AlertState.RESOLVED)


class MemberCounts(NamedTuple):
    """How the alerts of one incident stand."""

    joined: int = 0
    terminals: int = 0
    standing: int = 0
    critical: int = 0
    warning: int = 0

    @property
    def severity(self) -> Severity:
        return Severity.CRITICAL if self.critical else Severity.WARNING if self.warning else Severity.INFO


def review(incidents: Sequence[Incident], *, at: datetime) -> None:
    tallies = _tallies(incidents) if incidents else {}
    for incident in incidents:
        _review(incident, tallies.get(incident.pk, MemberCounts()), at)


def _tallies(incidents: Iterable[Incident]) -> dict[int, MemberCounts]:
    """One query for all of them."""
    rows = (
        Alert.objects.filter(incident__in=incidents)
        .values_list("incident")
        .annotate(
            joined=Count("pk"),
            terminals=Count("terminal", distinct=True),
            standing=Count("pk", filter=UNRESOLVED),
            critical=Count("pk", filter=UNRESOLVED & Q(severity=Severity.CRITICAL)),
            warning=Count("pk", filter=UNRESOLVED & Q(severity=Severity.WARNING)),
        )
    )
    return {pk: MemberCounts(*counts) for pk, *counts in rows}


def _review(incident: Incident, tally: MemberCounts, at: datetime) -> None:
    has_grown = _follow_members(incident, tally, at)
    if not tally.standing:
        transition(incident, Kind.RESOLVED, at=at, fields=_over(at))
        return
    is_worse = _follow_severity(incident, tally.severity, at)
    _end_contract(incident, at, is_worse=is_worse, has_grown=has_grown)
    if incident.claimed_until is not None and incident.claimed_until <= at:
        transition(incident, Kind.UNCLAIMED, at=at, fields=UNCLAIMED_FIELDS)
    if has_grown:
        actions.cover_new(incident, at=at)
    if at - incident.calm_since >= CALM and tally.standing * 100 <= max(100, incident.joined * FEW_PCT):
        _dissolve(incident, at)


def _follow_members(incident: Incident, tally: MemberCounts, at: datetime) -> bool:
    """Whether alerts joined since it was told the last time."""
    more, fewer = tally.joined - incident.joined, tally.joined - tally.standing - incident.left
    if not more and not fewer:
        return False
    incident.calm_since = at
    if more > 0:
        incident.lost = max(incident.lost, tally.terminals)
        incident.size = max(incident.size, incident.lost)
        _count_in(incident, Kind.JOINED, more, at, joined=tally.joined)
        common_factor(incident)
    if fewer:
        _count_in(incident, Kind.LEFT, fewer, at, left=tally.joined - tally.standing)
    return more > 0


def _count_in(incident: Incident, kind: Kind, number: int, at: datetime, **fields: int) -> None:
    """As part of the last step, if that was the same a moment ago: in a storm they join one after the other."""
    last = incident.transitions.last()
    same = (Kind.OPENED, Kind.JOINED) if kind is Kind.JOINED else (kind,)
    if last is None or last.kind not in same or at - last.at >= ONE_STEP:
        transition(incident, kind, at=at, number=number, fields=fields)
        return
    for name, value in fields.items():
        setattr(incident, name, value)
    incident.version += kind is Kind.JOINED
    incident.save()
    last.number, last.standing = last.number + number, incident.standing
    last.save(update_fields=("number", "standing"))
    publish_incident(incident)


def _follow_severity(incident: Incident, now: Severity, at: datetime) -> bool:
    """Whether it got worse."""
    if now == incident.severity:
        return False
    is_worse = RANKS[now] > RANKS[incident.severity]
    transition(incident, Kind.WORSENED if is_worse else Kind.EASED, at=at, fields={"severity": now})
    return is_worse


def _end_contract(incident: Incident, at: datetime, *, is_worse: bool, has_grown: bool) -> None:
    """As an alert's: a higher severity ends each; more alerts end what was taken until it gets worse."""
    if incident.state != IncidentState.ACKNOWLEDGED:
        return
    if is_worse or (has_grown and incident.contract == Contract.WORSE):
        transition(incident, Kind.REOPENED_WORSE, at=at, fields=REOPENED_FIELDS)
    elif incident.until is not None and incident.until <= at:
        transition(incident, Kind.EXPIRED, at=at, fields=REOPENED_FIELDS)


def _dissolve(incident: Incident, at: datetime) -> None:
    """It is over; what is left of it stands alone again, and is told of by itself."""
    rest = [alert.pk for alert in actions.alerts_of(incident).order_by("pk").select_for_update(of=("self",))]
    Alert.objects.filter(pk__in=rest).update(incident=None)
    incident.left = incident.joined
    transition(incident, Kind.DISSOLVED, at=at, number=len(rest), fields=_over(at))
    publish(Change(alerts=frozenset(rest)))


def _over(at: datetime) -> dict[str, Any]:
    return {"state": IncidentState.RESOLVED, "until": None, "resolved_at": at, **UNCLAIMED_FIELDS}
