"""Alerts opened and resolved during a shift, one line per rule and site."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, F, Q, QuerySet

from tms.alerts.models import Alert, Rule
from tms.alerts.suppression.reasons import Reason
from tms.fleet.models import Site
from tms.lib.severity import RANKS


class ChangeLine(NamedTuple):
    severity: str
    site: str
    code: str
    rule: str
    rule_id: int
    opened: int
    closed: int
    open: int
    terminals: int
    suppressed: int = 0
    """How many of those opened were not notified then because of maintenance."""


def changes(alerts: QuerySet[Alert], since: datetime, until: datetime) -> list[ChangeLine]:
    """The changes by severity, then by number, highest first (indexes: alert_opened, alert_resolved)."""
    opened = Q(opened_at__gte=since, opened_at__lt=until)
    closed = Q(resolved_at__gte=since, resolved_at__lt=until)
    still_open = Q(resolved_at=None) | Q(resolved_at__gte=until)
    rows = list(
        alerts.filter(opened | closed)
        .order_by()
        .values("severity", "rule", site=F("terminal__site"))
        .annotate(
            opened=Count("pk", filter=opened),
            closed=Count("pk", filter=closed),
            open=Count("pk", filter=still_open),
            terminals=Count("terminal", distinct=True),
            suppressed=Count("pk", filter=opened & Q(suppressed_at_open=Reason.MAINTENANCE)),
        )
    )
    sites = Site.objects.in_bulk({row["site"] for row in rows})
    rules = Rule.objects.in_bulk({row["rule"] for row in rows})
    found = [_change(row, sites[row["site"]], rules[row["rule"]]) for row in rows]
    return sorted(found, key=lambda one: (RANKS[one.severity], -one.opened, -one.closed, one.site))


def _change(row: Mapping[str, Any], site: Site, rule: Rule) -> ChangeLine:
    return ChangeLine(
        row["severity"],
        site.local_name,
        site.code,
        rule.local_name,
        rule.pk,
        row["opened"],
        row["closed"],
        row["open"],
        row["terminals"],
        row["suppressed"],
    )
