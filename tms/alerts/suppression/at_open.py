"""Records why an alert was not notified when it opened. Response times leave such alerts out."""

from collections.abc import Collection
from datetime import datetime
from functools import partial

from tms.alerts.models.alert import Alert
from tms.alerts.suppression.reasons import suppressions_by_context
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate

PASS_LIMIT = 500

unrecorded = SetAside[int]("suppressed")


@skip_when_empty(lambda at: Alert.objects.filter(suppressed_at_open=None))
def record_suppressed_at_open(at: datetime) -> int:
    """Record it for recently opened alerts without a record (index: alert_suppression_unknown). Returns how many."""
    fresh = Alert.objects.filter(suppressed_at_open=None).exclude(pk__in=unrecorded.keys(at)).order_by("pk")
    pks = list(fresh.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_record_suppressed_at_open, at=at), aside=unrecorded, at=at)


def _record_suppressed_at_open(pks: Collection[int], at: datetime) -> int:
    """Call it in a transaction.

    Rows locked by another transaction are left for the next pass: two that wait for each other would deadlock.
    """
    fresh = Alert.objects.filter(pk__in=pks, suppressed_at_open=None).order_by("pk")
    alerts = list(fresh.select_for_update(skip_locked=True, of=("self",)))
    # Alerts that may be or are part of an incident are still notified: a moment later, or with it.
    reasons = {pk: why.reason for pk, why in suppressions_by_context(alerts, at=at).items()}
    for reason in {"", *reasons.values()}:
        pks = [alert.pk for alert in alerts if reasons.get(alert.pk, "") == reason]
        Alert.objects.filter(pk__in=pks, suppressed_at_open=None).update(suppressed_at_open=reason)
    return len(alerts)
