"""Operator actions on alerts. Each takes a queryset, runs in one transaction and is idempotent.

Each returns how many rows changed. Rows to which it no longer applies, for example after a recovery, stay unchanged.
"""

from datetime import datetime

from django.db import transaction

from tms.accounts.models import User
from tms.alerts.lifecycle.acknowledge import UNACKNOWLEDGED, lock_in_states, reminder, terms
from tms.alerts.lifecycle.alert_transitions import REOPENED_FIELDS, UNCLAIMED_FIELDS, Actor, transition
from tms.alerts.locks import lock_with_terminals
from tms.alerts.models import Condition
from tms.alerts.models.alert import Alert, AlertQuerySet, AlertState, Contract
from tms.alerts.models.flapping import Flapping
from tms.alerts.models.transition import TransitionKind
from tms.alerts.rules.events import among

ACKNOWLEDGED = (AlertState.ACKNOWLEDGED,)
REOPENABLE = (AlertState.ACKNOWLEDGED, AlertState.SNOOZED)
UNRESOLVED = (AlertState.OPEN, AlertState.ACKNOWLEDGED, AlertState.SNOOZED)


@transaction.atomic
def change_acknowledgement(
    alerts: AlertQuerySet, *, contract: Contract, until: datetime | None, by: User, comment: str, at: datetime
) -> int:
    """Change the contract; the same people stay responsible. An empty comment keeps the previous one."""
    fields = terms(contract, until, at=at)
    others = [
        alert
        for alert in lock_in_states(alerts, ACKNOWLEDGED)
        if (alert.contract, alert.until) != (contract, fields["until"]) or comment not in ("", alert.comment)
    ]
    transition(
        others, TransitionKind.CHANGED, at=at, fields=fields | with_comment(comment), actor=Actor(by, comment=comment)
    )
    return len(others)


@transaction.atomic
def reopen(alerts: AlertQuerySet, *, by: User, comment: str, at: datetime) -> int:
    """Reopen acknowledged or snoozed alerts."""
    given = lock_in_states(alerts, REOPENABLE)
    transition(
        given,
        TransitionKind.REOPENED,
        at=at,
        fields={**REOPENED_FIELDS, **with_comment(comment)},
        actor=Actor(by, comment=comment),
    )
    return len(given)


@transaction.atomic
def snooze(alerts: AlertQuerySet, *, until: datetime, by: User, comment: str, at: datetime) -> int:
    """Snooze until a time: nobody is responsible, and nobody is assigned."""
    awake = [alert for alert in lock_in_states(alerts, UNRESOLVED) if (alert.state, alert.until) != ("snoozed", until)]
    fields = {**REOPENED_FIELDS, "state": AlertState.SNOOZED, "until": until, **with_comment(comment)}
    transition(awake, TransitionKind.SNOOZED, at=at, fields=fields, actor=Actor(by, comment=comment))
    return len(awake)


@transaction.atomic
def assign(alerts: AlertQuerySet, *, to: User, by: User, comment: str, at: datetime) -> int:
    """Assign open alerts to a person; make that person responsible for acknowledged ones, under the same contract."""
    chosen = lock_in_states(alerts, UNRESOLVED)
    assigned = [alert for alert in chosen if alert.state in UNACKNOWLEDGED and alert.assigned_to_id != to.pk]
    reassigned = [alert for alert in chosen if alert.state in ACKNOWLEDGED and alert.acknowledged_by_id != to.pk]
    for moved, column in ((assigned, "assigned_to"), (reassigned, "acknowledged_by")):
        fields = {column: to, **with_comment(comment)}
        transition(moved, TransitionKind.ASSIGNED, at=at, fields=fields, actor=Actor(by, to, comment))
    return len(assigned) + len(reassigned)


@transaction.atomic
def comment(alerts: AlertQuerySet, *, by: User, comment: str, at: datetime) -> int:
    """Add a comment to each. This also restarts the wait for a reminder."""
    chosen = [alert for alert in lock_in_states(alerts, UNRESOLVED) if alert.comment != comment]
    Alert.objects.filter(pk__in=[alert.pk for alert in chosen], remind_at__isnull=False).update(
        remind_at=reminder(at), is_stale=False
    )
    transition(chosen, TransitionKind.COMMENTED, at=at, fields={"comment": comment}, actor=Actor(by, comment=comment))
    return len(chosen)


@transaction.atomic
def resolve(alerts: AlertQuerySet, *, by: User, comment: str, at: datetime) -> int:
    """Resolve manually where the rule allows it. They reopen if the problem recurs."""
    over = lock_with_terminals(alerts.unresolved().filter(rule__may_be_resolved_by_hand=True))
    Flapping.objects.end(over, at=at)
    Condition.objects.filter(among([(alert.rule_id, alert.terminal_id) for alert in over])).delete()
    fields = {**RESOLVED_FIELDS, **with_comment(comment)}
    transition(
        over, TransitionKind.RESOLVED, at=at, fields=fields, stamp="resolved_at", actor=Actor(by, comment=comment)
    )
    return len(over)


RESOLVED_FIELDS: dict[str, object] = {
    "state": AlertState.RESOLVED,
    "contract": "",
    "until": None,
    "remind_at": None,
    "is_stale": False,
    **UNCLAIMED_FIELDS,
}
"""The previous person stays in the history."""


def with_comment(comment: str) -> dict[str, str]:
    """The new comment, or the previous one if it is empty."""
    return {"comment": comment} if comment else {}
