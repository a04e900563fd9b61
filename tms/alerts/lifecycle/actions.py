"""What else people do to alerts: to one or to many, in one transaction, and twice is as once.

Each returns how many it was done to. What suits no longer, because of a recovery, say, is left alone.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from tms.accounts.models import User
from tms.alerts.lifecycle.acknowledge import FREE, at_hand, reminder, terms
from tms.alerts.lifecycle.transitions import OPEN_AGAIN, UNCLAIMED, Said, step
from tms.alerts.models import Condition
from tms.alerts.models.alert import Alert, AlertQuerySet, AlertState, Contract
from tms.alerts.models.flapping import Flapping
from tms.alerts.models.transition import TransitionKind
from tms.alerts.rules.events import among
from tms.fleet.presence import store

HELD = (AlertState.ACKNOWLEDGED,)
ENDED_BY_A_PERSON = (AlertState.ACKNOWLEDGED, AlertState.SNOOZED)
UNRESOLVED = (AlertState.OPEN, AlertState.ACKNOWLEDGED, AlertState.SNOOZED)


@transaction.atomic
def change(
    alerts: AlertQuerySet, *, contract: Contract, until: datetime | None, by: User, comment: str, at: datetime
) -> int:
    """Other terms for what is acknowledged already; whoever has it keeps it. An empty comment leaves what was said."""
    fields = terms(contract, until, at=at)
    others = [
        alert
        for alert in at_hand(alerts, HELD)
        if (alert.contract, alert.until) != (contract, fields["until"]) or comment not in ("", alert.comment)
    ]
    step(others, TransitionKind.CHANGED, at=at, fields=fields | said(comment), said=Said(by, comment=comment))
    return len(others)


@transaction.atomic
def withdraw(alerts: AlertQuerySet, *, by: User, comment: str, at: datetime) -> int:
    """Open again what somebody had, or had put off."""
    given = at_hand(alerts, ENDED_BY_A_PERSON)
    step(given, TransitionKind.WITHDRAWN, at=at, fields={**OPEN_AGAIN, **said(comment)}, said=Said(by, comment=comment))
    return len(given)


@transaction.atomic
def snooze(alerts: AlertQuerySet, *, until: datetime, by: User, comment: str, at: datetime) -> int:
    """Put off until a time: nobody has it, and nobody is asked for."""
    awake = [alert for alert in at_hand(alerts, UNRESOLVED) if (alert.state, alert.until) != ("snoozed", until)]
    fields = {**OPEN_AGAIN, "state": AlertState.SNOOZED, "until": until, **said(comment)}
    step(awake, TransitionKind.SNOOZED, at=at, fields=fields, said=Said(by, comment=comment))
    return len(awake)


@transaction.atomic
def assign(alerts: AlertQuerySet, *, to: User, by: User, comment: str, at: datetime) -> int:
    """Ask somebody to take what is open; hand over to them what is acknowledged, under the same contract."""
    chosen = at_hand(alerts, UNRESOLVED)
    asked = [alert for alert in chosen if alert.state in FREE and alert.assigned_to_id != to.pk]
    handed = [alert for alert in chosen if alert.state in HELD and alert.acknowledged_by_id != to.pk]
    for moved, column in ((asked, "assigned_to"), (handed, "acknowledged_by")):
        fields = {column: to, **said(comment)}
        step(moved, TransitionKind.ASSIGNED, at=at, fields=fields, said=Said(by, to, comment))
    return len(asked) + len(handed)


@transaction.atomic
def comment(alerts: AlertQuerySet, *, by: User, comment: str, at: datetime) -> int:
    """Say something of them. Whoever has them is not forgetful: the reminder waits anew."""
    chosen = [alert for alert in at_hand(alerts, UNRESOLVED) if alert.comment != comment]
    Alert.objects.filter(pk__in=[alert.pk for alert in chosen], remind_at__isnull=False).update(
        remind_at=reminder(at), is_stale=False
    )
    step(chosen, TransitionKind.COMMENTED, at=at, fields={"comment": comment}, said=Said(by, comment=comment))
    return len(chosen)


@transaction.atomic
def resolve(alerts: AlertQuerySet, *, by: User, comment: str, at: datetime) -> int:
    """Say that they are over, where the rule lets a person say so. They open again when it comes again."""
    chosen = alerts.unresolved().filter(rule__may_be_resolved_by_hand=True)
    store.lock(set(chosen.values_list("terminal_id", flat=True)))
    over = at_hand(chosen, UNRESOLVED)
    Flapping.objects.end(over, at=at)
    Condition.objects.filter(among([(alert.rule_id, alert.terminal_id) for alert in over])).delete()
    fields = {**OVER, **said(comment)}
    step(over, TransitionKind.RESOLVED, at=at, fields=fields, stamp="resolved_at", said=Said(by, comment=comment))
    return len(over)


OVER: dict[str, Any] = {
    "state": AlertState.RESOLVED,
    "contract": "",
    "until": None,
    "remind_at": None,
    "is_stale": False,
    **UNCLAIMED,
}
"""Who had it stays written there."""


def said(comment: str) -> dict[str, str]:
    """The last that anybody said stays, when nobody says more."""
    return {"comment": comment} if comment else {}
