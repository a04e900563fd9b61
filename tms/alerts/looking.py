"""Keeps why nobody was told of an alert when it opened: whoever counts later how long things took leaves it out."""

from datetime import datetime

from django.db import transaction

from tms.alerts.alert import Alert
from tms.alerts.quiet import quiet_by_context

PASS_LIMIT = 500


def look(at: datetime) -> int:
    """At alerts at which nobody looked yet (index: alert_unlooked); how many there were. They opened a moment ago."""
    return _look(at) if Alert.objects.filter(quiet_at_first=None).exists() else 0


@transaction.atomic
def _look(at: datetime) -> int:
    """What another transaction has in its hands is left for the next pass: two that wait for each other's rows never
    end.
    """
    unlooked = Alert.objects.filter(quiet_at_first=None).order_by("pk")
    alerts = list(unlooked.select_for_update(skip_locked=True, of=("self",))[:PASS_LIMIT])
    # What waits to fold, or has folded, is told all the same: a moment later, or with its incident.
    reasons = {pk: why.reason for pk, why in quiet_by_context(alerts, at=at).items()}
    for reason in {"", *reasons.values()}:
        pks = [alert.pk for alert in alerts if reasons.get(alert.pk, "") == reason]
        Alert.objects.filter(pk__in=pks, quiet_at_first=None).update(quiet_at_first=reason)
    return len(alerts)
