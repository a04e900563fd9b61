"""What was known at a past instant: the open incidents, who was on them, and who had been notified."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tms.accounts.access import within
from tms.accounts.display_names import Name, name_of
from tms.accounts.scope import Scope
from tms.alerts.models import AlertState, IncidentTransition, Transition
from tms.alerts.notification_history import notifications_of_incident
from tms.boards.list_filters.filters import AlertFilter
from tms.boards.replay.context import PastContext
from tms.boards.rows.incidents import IncidentRow, IncidentTransitionRow
from tms.shifts.on_call import on_call_between

MAX_INCIDENTS = 3
MAX_LATER = 6
MAX_ACTIONS = 300
MAX_PEOPLE = 8
LATELY = timedelta(hours=1)
"""People who acted so long before are listed as on shift: open boards are not recorded."""
INSTANT = timedelta(microseconds=1)


class Notified(NamedTuple):
    """The notifications that had been delivered."""

    number: int
    last_at: datetime | None
    to: tuple[str, ...]


class KnownIncident(NamedTuple):
    row: IncidentRow
    notified: Notified
    later: Sequence[IncidentTransitionRow]
    """What happened afterwards, oldest first."""
    later_factor: str
    """The common factor, if it was found afterwards."""


class Acted(NamedTuple):
    """An action of a person."""

    name: Name
    kind: str
    at: datetime
    is_of_incident: bool


class PersonOnShift(NamedTuple):
    name: Name
    rotations: Sequence[str]
    """The rotations of which the person was on call."""
    acted: Acted | None
    """The newest action, if it was lately."""


class Known(NamedTuple):
    at: datetime
    incidents: Sequence[KnownIncident]
    further: int
    """Further open incidents."""
    unacknowledged: int
    """The number of unacknowledged incidents among all open ones."""
    alerts: int
    """Open alerts outside of incidents."""
    alerts_unacknowledged: int
    people: Sequence[PersonOnShift]
    """The people on call, then those who acted lately."""

    @property
    def incident_count(self) -> int:
        return len(self.incidents) + self.further


def read_known(context: PastContext) -> Known:
    rows = context.unresolved_incidents(AlertFilter())
    now = {row.pk: row for row in context.present.incidents([row.pk for row in rows[:MAX_INCIDENTS]])}
    outside = context.outside(context.awake)
    return Known(
        at=context.at,
        incidents=[_incident(row, now.get(row.pk), context) for row in rows[:MAX_INCIDENTS]],
        further=max(0, len(rows) - MAX_INCIDENTS),
        unacknowledged=sum(row.is_open for row in rows),
        alerts=len(outside),
        alerts_unacknowledged=sum(one.state == AlertState.OPEN for one in outside),
        people=_people(context.at, context.scope),
    )


def _incident(row: IncidentRow, now: IncidentRow | None, context: PastContext) -> KnownIncident:
    later = [step for step in now.transitions if step.at > context.at] if now else []
    factor = now.common_factor_text if now and not row.common_factor_text else ""
    return KnownIncident(row, _notifications_until(row.pk, context), later[:MAX_LATER], factor)


def _notifications_until(incident: int, context: PastContext) -> Notified:
    records = notifications_of_incident(incident, context.scope, until=context.at)
    sent = [record for record in records if record.is_delivered]
    return Notified(len(sent), sent[-1].at if sent else None, tuple(dict.fromkeys(record.to for record in sent)))


def _people(at: datetime, scope: Scope) -> list[PersonOnShift]:
    rotations: dict[Name, list[str]] = {}
    for period in on_call_between(at, at + INSTANT, scope):
        rotations.setdefault(period.person, []).append(period.rotation)
    acted = _newest_actions(at, scope)
    on_call = [PersonOnShift(name, names, acted.get(name)) for name, names in rotations.items()]
    others = [PersonOnShift(name, (), one) for name, one in acted.items() if name not in rotations]
    return (on_call + others)[:MAX_PEOPLE]


def _newest_actions(at: datetime, scope: Scope) -> dict[Name, Acted]:
    """The newest action of each person; who acted last comes first (index: transition_at)."""
    lately = {"at__gt": at - LATELY, "at__lte": at, "by__isnull": False}
    on_alerts = within(Transition.objects.filter(**lately), scope).select_related("by").order_by("-at")
    on_incidents = within(IncidentTransition.objects.filter(**lately), scope).select_related("by").order_by("-at")
    found = [*_newest(on_alerts[:MAX_ACTIONS]), *_newest(on_incidents[:MAX_ACTIONS], is_of_incident=True)]
    newest: dict[Name, Acted] = {}
    for one in sorted(found, key=lambda one: one.at, reverse=True):
        newest.setdefault(one.name, one)
    return newest


def _newest(rows: Iterable[Transition | IncidentTransition], *, is_of_incident: bool = False) -> list[Acted]:
    return [Acted(name_of(row.by), row.kind, row.at, is_of_incident) for row in rows if row.by]
