"""Rules of the kind *Configuration differs*: which terminals do not report what they shall have, and for how long."""

from datetime import datetime, timedelta

from django.db.models import Q

from tms.alerts.models import Rule
from tms.alerts.rules.compiled import terminals_of
from tms.configuration.models import TerminalConfiguration


def differing_long(rule: Rule, at: datetime) -> set[int]:
    """The duration is asked here: a version that reaches thousands of terminals must not begin as many alerts."""
    since = at - timedelta(seconds=rule.duration_s)
    moved_since = Q(desired_at__gt=since) | Q(reported_at__gt=since)
    rows = TerminalConfiguration.objects.differing().exclude(moved_since).exclude(version=None)
    return set(rows.filter(terminal__in=terminals_of(rule).order_by()).values_list("pk", flat=True))
