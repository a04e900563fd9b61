"""What ends with time: contracts, snoozes, and acknowledgements without an update."""

from collections.abc import Collection
from datetime import datetime
from functools import partial

from tms.alerts.lifecycle.acknowledge import lock_in_states, reminder
from tms.alerts.lifecycle.alert_transitions import REOPENED_FIELDS, transition
from tms.alerts.models.alert import Alert, AlertState
from tms.alerts.models.transition import TransitionKind
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate

PASS_LIMIT = 2_000

not_expired = SetAside[int]("contracts")
not_reminded = SetAside[int]("reminders")


@skip_when_empty(Alert.objects.ending)
def expire(at: datetime) -> int:
    """Reopen alerts whose acknowledgement or snooze has expired (index: alert_until)."""
    due = Alert.objects.ending(at).exclude(pk__in=not_expired.keys(at)).order_by("until")
    pks = list(due.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_expire, at=at), aside=not_expired, at=at)


def _expire(pks: Collection[int], at: datetime) -> int:
    """Call it in a transaction."""
    over = lock_in_states(Alert.objects.ending(at).filter(pk__in=pks), (AlertState.ACKNOWLEDGED, AlertState.SNOOZED))
    transition(over, TransitionKind.EXPIRED, at=at, fields=REOPENED_FIELDS)
    return len(over)


@skip_when_empty(Alert.objects.to_remind)
def remind(at: datetime) -> int:
    """Send reminders for stale acknowledgements, and again after the same time (index: alert_remind)."""
    due = Alert.objects.to_remind(at).exclude(pk__in=not_reminded.keys(at)).order_by("remind_at")
    pks = list(due.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_remind, at=at), aside=not_reminded, at=at)


def _remind(pks: Collection[int], at: datetime) -> int:
    """Call it in a transaction."""
    stale = lock_in_states(Alert.objects.to_remind(at).filter(pk__in=pks), (AlertState.ACKNOWLEDGED,))
    transition(stale, TransitionKind.REMINDED, at=at, fields={"is_stale": True, "remind_at": reminder(at)})
    return len(stale)
