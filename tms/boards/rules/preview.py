"""The panel of a preview: how often a rule would have triggered and on which terminals, compared with its saved
version.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import Scope
from tms.alerts.models import Rule
from tms.alerts.preview.preview import PreviewResult, preview
from tms.alerts.preview.simulation import SimulatedAlert
from tms.boards.rules.preview_plot import Plot, plot
from tms.fleet.models import Terminal
from tms.lib.calendar.dates import DAY
from tms.telemetry.history import samples

MAX_SHOWN = 20


class PreviewRange(NamedTuple):
    label: str | Promise
    heading: str | Promise
    """The label as it appears in the heading."""


SPANS = {
    "24h": PreviewRange(_("Last 24 hours"), _("in the last 24 hours")),
    "yesterday": PreviewRange(_("Yesterday"), _("yesterday")),
    "7d": PreviewRange(_("Last 7 days"), _("in the last 7 days")),
}
DEFAULT_SPAN = "24h"


class SimulatedAlertRow(NamedTuple):
    """A line of the table."""

    uid: str
    severity: str
    opened_at: datetime
    lasted_s: float
    is_open: bool
    peak: str
    changes: int
    """Number of openings and recoveries, if it would have flapped."""


@dataclass(frozen=True)
class PreviewPanel:
    span: str
    result: PreviewResult
    alerts: Sequence[SimulatedAlertRow]
    """The longest of them, in chronological order."""
    matching_now: Sequence[str]
    """UIDs, the first of them."""
    plot: Plot | None
    before: PreviewResult | None
    """The result of the saved rule; None for a new one, or if nothing was edited."""

    @property
    def number(self) -> int:
        return len(self.result.alerts)

    @property
    def terminals(self) -> int:
        return len({alert.terminal_id for alert in self.result.alerts})


def preview_panel(rule: Rule, span: str, *, saved: Rule | None, at: datetime, scope: Scope) -> PreviewPanel:
    since, until = bounds(span, at=at)
    result = preview(rule, since=since, until=until, scope=scope)
    is_edited = saved is not None and saved.content() != rule.content()
    longest = sorted(result.alerts, key=lambda one: -one.lasted_s(until))[:MAX_SHOWN]
    shown = sorted(longest, key=lambda one: one.opened_at)
    matching_now = result.matching_now[:MAX_SHOWN]
    uids = dict(
        Terminal.objects.filter(pk__in={*matching_now, *(one.terminal_id for one in shown)}).values_list("pk", "uid")
    )
    return PreviewPanel(
        span=span,
        result=result,
        alerts=[_row(rule, one, uids, until) for one in shown],
        matching_now=[uids[pk] for pk in matching_now if pk in uids],
        plot=_plot(rule, result),
        before=preview(saved, since=since, until=until, scope=scope) if saved is not None and is_edited else None,
    )


def bounds(span: str, *, at: datetime) -> tuple[datetime, datetime]:
    """Days are those of `TMS_TIME_ZONE`."""
    if span == "7d":
        return at - 7 * DAY, at
    if span == "24h":
        return at - DAY, at
    midnight = at.astimezone(get_default_timezone()).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - timedelta(hours=12)).replace(hour=0), midnight


def _row(rule: Rule, alert: SimulatedAlert, uids: dict[int, str], until: datetime) -> SimulatedAlertRow:
    kind = rule.kind_object
    peak = kind.peak(alert)
    return SimulatedAlertRow(
        uid=uids.get(alert.terminal_id, "–"),
        severity=alert.severity or rule.severity,
        opened_at=alert.opened_at,
        lasted_s=alert.lasted_s(until),
        is_open=alert.ended_at is None,
        peak=kind.format_limit(rule, None if peak is None else round(peak, 1)),
        changes=alert.changes,
    )


def _plot(rule: Rule, result: PreviewResult) -> Plot | None:
    if not rule.metric:
        return None
    extremes = samples.extremes(result.evaluated, rule.metric, result.since, result.until)
    return plot(rule, extremes, since=result.since, until=result.until)
