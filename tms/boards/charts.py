"""A terminal's chart: readings and presence over a span, with the limits of the rules that watch it."""

from datetime import datetime
from typing import Any

from django.db.models import Q

from tms.alerts.models import Rule, RuleKind
from tms.fleet.models import Terminal
from tms.telemetry import series, stretches
from tms.telemetry.series import Span


def chart(terminal: Terminal, span: Span, *, at: datetime) -> dict[str, Any]:
    """Columns for uPlot; instants are seconds since the epoch, and `step` how far those of roll-ups are apart."""
    readings = series.readings(terminal, span, at=at)
    return {
        "at": readings.at,
        "metrics": readings.metrics,
        "lowest": readings.lowest,
        "highest": readings.highest,
        "step": span.bucket_s if span.is_rolled else 0,
        "late": readings.late,
        "presence": [
            {"from": stretch.start, "to": stretch.end, "presence": stretch.presence}
            for stretch in stretches.presences(terminal, span.length, at=at)
        ],
        "limits": _limits(terminal),
    }


def _limits(terminal: Terminal) -> dict[str, list[dict[str, Any]]]:
    everywhere = Q(site=None) | Q(site=terminal.site_id)
    every_kind = Q(terminal_kind="") | Q(terminal_kind=terminal.kind)
    rules = Rule.objects.filter(everywhere, every_kind, enabled=True, kind=RuleKind.METRIC).order_by("limit")
    limits: dict[str, list[dict[str, Any]]] = {}
    for rule in rules:
        limit = {"comparison": rule.comparison, "limit": rule.limit, "severity": rule.severity}
        limits.setdefault(rule.metric, []).append(limit)
    return limits
