"""Resolving or snoozing many alerts or incidents, as an action that may need a second person."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from django.conf import settings
from django.utils.translation import gettext, ngettext

from tms.accounts.access import permitted, visible
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.actions.registry import ACTIONS
from tms.alerts.actions.terms import ActionTerms
from tms.alerts.consequences import Consequences, of_alerts
from tms.alerts.models import Alert, AlertQuerySet, Incident
from tms.approvals.acts import Act
from tms.approvals.approvers import holds_for_all
from tms.approvals.gate import Proposal, propose
from tms.approvals.kinds import ApprovalKind, CannotPerform, Payload, register

GATED = frozenset(name for name, action in ACTIONS.items() if any(target.gated for target in action.targets))
ROUNDING = timedelta(minutes=1)
"""Ends of snoozes are whole minutes."""


class AlertsPayload(Payload, frozen=True):
    action: Literal["resolve", "snooze"]
    alerts: tuple[int, ...]
    comment: str = ""
    until: datetime | None = None

    @property
    def rows(self) -> AlertQuerySet:
        """The alerts that are still unresolved."""
        return Alert.objects.unresolved().filter(pk__in=self.alerts)

    @property
    def terms(self) -> ActionTerms:
        return _terms(self)


class ManyAlerts(ApprovalKind[AlertsPayload, Consequences]):
    name = Act.ALERTS
    permission = Permission.HANDLE_ALERTS
    payload = AlertsPayload
    impact = Consequences

    def impact_of(self, payload: AlertsPayload, *, by: User, at: datetime) -> Consequences:
        return of_alerts(visible(payload.rows, to=by), to=by, at=at)

    def is_large(self, payload: AlertsPayload, impact: Consequences) -> bool:
        return 0 < settings.APPROVAL_ALERTS < len(payload.alerts)

    def is_permitted(self, payload: AlertsPayload, person: User) -> bool:
        """Whether the person may do it, for alerts that were resolved meanwhile, too: the request names them."""
        return holds_for_all(person, self.permission, Alert.objects.filter(pk__in=payload.alerts), payload.alerts)

    def is_within(self, payload: AlertsPayload, larger: AlertsPayload, *, later: timedelta) -> bool:
        is_covered = set(payload.alerts) <= set(larger.alerts)
        return is_covered and _is_same_or_shorter(payload, larger, later)

    def title(self, payload: AlertsPayload, impact: Consequences) -> str:
        number = len(payload.alerts)
        text = ngettext("%(what)s: %(n)s alert", "%(what)s: %(n)s alerts", number)
        return text % {"what": ACTIONS[payload.action].label, "n": f"{number:,}"}

    def word(self, payload: AlertsPayload, impact: Consequences) -> str:
        return str(len(payload.alerts))

    def details(self, payload: AlertsPayload, impact: Consequences) -> Mapping[str, object]:
        return {"effect": ACTIONS[payload.action].effect, "until": payload.until}

    def perform(self, payload: AlertsPayload, *, by: User, at: datetime) -> int:
        """Alerts that were resolved or snoozed meanwhile stay as they are."""
        if payload.until is not None and payload.until <= at:
            raise CannotPerform(gettext("The time until which the alerts were to be snoozed has passed."))
        target = ACTIONS[payload.action].alert
        assert target is not None
        held = permitted(payload.rows, by=by, permission=self.permission)
        return target.run(target.when.filter(held), by=by, at=at, **payload.terms)


class IncidentsPayload(Payload, frozen=True):
    action: Literal["resolve", "snooze"]
    incidents: tuple[int, ...]
    comment: str = ""
    until: datetime | None = None

    @property
    def alerts(self) -> AlertQuerySet:
        return Alert.objects.unresolved().filter(incident__in=self.incidents)

    @property
    def terms(self) -> ActionTerms:
        return _terms(self)


class ManyIncidents(ApprovalKind[IncidentsPayload, Consequences]):
    """Incidents count as their alerts."""

    name = Act.INCIDENTS
    permission = Permission.HANDLE_ALERTS
    payload = IncidentsPayload
    impact = Consequences

    def impact_of(self, payload: IncidentsPayload, *, by: User, at: datetime) -> Consequences:
        return of_alerts(visible(payload.alerts, to=by), to=by, at=at)

    def is_large(self, payload: IncidentsPayload, impact: Consequences) -> bool:
        return 0 < settings.APPROVAL_ALERTS < payload.alerts.count()

    def is_permitted(self, payload: IncidentsPayload, person: User) -> bool:
        rows = Incident.objects.filter(pk__in=payload.incidents)
        return holds_for_all(person, self.permission, rows, payload.incidents)

    def is_within(self, payload: IncidentsPayload, larger: IncidentsPayload, *, later: timedelta) -> bool:
        is_covered = set(payload.incidents) <= set(larger.incidents)
        return is_covered and _is_same_or_shorter(payload, larger, later)

    def title(self, payload: IncidentsPayload, impact: Consequences) -> str:
        number = len(payload.incidents)
        text = ngettext("%(what)s: %(n)s incident", "%(what)s: %(n)s incidents", number)
        return text % {"what": ACTIONS[payload.action].label, "n": f"{number:,}"}

    def word(self, payload: IncidentsPayload, impact: Consequences) -> str:
        return str(payload.alerts.count())

    def details(self, payload: IncidentsPayload, impact: Consequences) -> Mapping[str, object]:
        return {"effect": ACTIONS[payload.action].effect, "until": payload.until}

    def perform(self, payload: IncidentsPayload, *, by: User, at: datetime) -> int:
        """Incidents to which the action does not apply any more stay as they are."""
        if payload.until is not None and payload.until <= at:
            raise CannotPerform(gettext("The time until which the incidents were to be snoozed has passed."))
        target = ACTIONS[payload.action].incident
        assert target is not None
        held = permitted(Incident.objects.filter(pk__in=payload.incidents), by=by, permission=self.permission)
        return len(target.perform_all(held.order_by("pk"), by=by, at=at, **payload.terms))


def _terms(payload: AlertsPayload | IncidentsPayload) -> ActionTerms:
    if payload.action == "snooze":
        return {"comment": payload.comment, "until": payload.until}
    return {"comment": payload.comment}


def _is_same_or_shorter[P: AlertsPayload | IncidentsPayload](payload: P, larger: P, later: timedelta) -> bool:
    """The same action; a snooze lasts no longer than that of `larger`. A dialog that opens has no `until` yet."""
    is_short = payload.until is None or larger.until is None or payload.until <= larger.until + later + ROUNDING
    return payload.action == larger.action and is_short


register(ManyAlerts())
register(ManyIncidents())


def propose_many(action: str, alerts: AlertQuerySet, terms: ActionTerms, *, by: User, at: datetime) -> Proposal:
    """An action of GATED on those of `alerts` that the person has the permission for, with the terms of its form."""
    held = permitted(alerts, by=by, permission=ACTIONS[action].permission)
    pks = tuple(held.order_by("pk").values_list("pk", flat=True))
    payload = msgspec.convert({"action": action, "alerts": pks, **terms}, AlertsPayload)
    return propose(Act.ALERTS, payload, by=by, at=at)


def propose_incidents(
    action: str, incidents: Iterable[Incident], terms: ActionTerms, *, by: User, at: datetime
) -> Proposal:
    """An action of GATED on incidents that the person has the permission for."""
    pks = tuple(sorted(incident.pk for incident in incidents))
    return propose(
        Act.INCIDENTS, msgspec.convert({"action": action, "incidents": pks, **terms}, IncidentsPayload), by=by, at=at
    )
