"""What ends by the clock: contracts, snoozes, and the patience with an acknowledgement that nobody has touched."""

from datetime import datetime

from django.db import transaction

from tms.alerts.alert import Alert, AlertState
from tms.alerts.lifecycle.steps import OPEN_AGAIN, step
from tms.alerts.lifecycle.taking import at_hand, reminder
from tms.alerts.transition import TransitionKind
from tms.passes import when_any

PASS_LIMIT = 2_000


@when_any(Alert.objects.ending)
@transaction.atomic
def expire(at: datetime) -> int:
    """Open again what was taken, or put off, until now (index: alert_until)."""
    due = Alert.objects.ending(at).order_by("until").values_list("pk", flat=True)[:PASS_LIMIT]
    over = at_hand(Alert.objects.ending(at).filter(pk__in=list(due)), (AlertState.ACKNOWLEDGED, AlertState.SNOOZED))
    step(over, TransitionKind.EXPIRED, at=at, fields=OPEN_AGAIN)
    return len(over)


@when_any(Alert.objects.forgotten)
@transaction.atomic
def remind(at: datetime) -> int:
    """Remind whoever took an alert and was not heard of since; and again after as long (index: alert_remind)."""
    due = Alert.objects.forgotten(at).order_by("remind_at").values_list("pk", flat=True)[:PASS_LIMIT]
    stale = at_hand(Alert.objects.forgotten(at).filter(pk__in=list(due)), (AlertState.ACKNOWLEDGED,))
    step(stale, TransitionKind.REMINDED, at=at, fields={"is_stale": True, "remind_at": reminder(at)})
    return len(stale)
