"""Keeps why nobody was told of an alert when it opened: whoever counts later how long things took leaves it out."""

from collections.abc import Collection
from datetime import datetime
from functools import partial

from tms.alerts.models.alert import Alert
from tms.alerts.suppression.reasons import suppressions_by_context
from tms.lib.set_aside import SetAside, isolate

PASS_LIMIT = 500

not_looked_at = SetAside[int]("looking")


def record_suppressed_at_open(at: datetime) -> int:
    """At alerts at which nobody looked yet (index: alert_unlooked); how many there were. They opened a moment ago."""
    unlooked = Alert.objects.filter(quiet_at_first=None).exclude(pk__in=not_looked_at.keys(at)).order_by("pk")
    pks = list(unlooked.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_record_suppressed_at_open, at=at), aside=not_looked_at, at=at)


def _record_suppressed_at_open(pks: Collection[int], at: datetime) -> int:
    """What another transaction has in its hands is left for the next pass: two that wait for each other's rows never
    end. Call it in a transaction.
    """
    unlooked = Alert.objects.filter(pk__in=pks, quiet_at_first=None).order_by("pk")
    alerts = list(unlooked.select_for_update(skip_locked=True, of=("self",)))
    # Alerts that may be or are part of an incident are notified all the same: a moment later, or with it.
    reasons = {pk: why.reason for pk, why in suppressions_by_context(alerts, at=at).items()}
    for reason in {"", *reasons.values()}:
        pks = [alert.pk for alert in alerts if reasons.get(alert.pk, "") == reason]
        Alert.objects.filter(pk__in=pks, quiet_at_first=None).update(quiet_at_first=reason)
    return len(alerts)
