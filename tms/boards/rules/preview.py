"""What a preview tells: how often a rule would have fired, on which terminals, and how often it does as it is saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext_lazy as _

from tms.alerts.models import Rule
from tms.alerts.preview.preview import PreviewResult, preview
from tms.alerts.preview.simulation import SimulatedAlert
from tms.boards.rules.preview_plot import Plot, plot
from tms.boards.rules.sentence import limit_text
from tms.fleet.models import Terminal
from tms.telemetry.history import samples

MOST_SHOWN = 20
DAY = timedelta(days=1)


class PreviewRange(NamedTuple):
    label: str | Promise
    fired: str | Promise
    """Of the heading."""


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
    """Of what would have flapped."""


@dataclass(frozen=True)
class PreviewPanel:
    span: str
    told: PreviewResult
    fired: Sequence[SimulatedAlertRow]
    """The longest of them, in the order of time."""
    drifting: Sequence[str]
    """UIDs, the first of them."""
    plot: Plot | None
    before: PreviewResult | None
    """As the rule is saved now; None for a new one, or when nothing was edited."""

    @property
    def number(self) -> int:
        return len(self.told.firings)

    @property
    def terminals(self) -> int:
        return len({firing.terminal_id for firing in self.told.firings})


def preview_panel(rule: Rule, span: str, *, saved: Rule | None, at: datetime) -> PreviewPanel:
    since, until = bounds(span, at=at)
    told = preview(rule, since=since, until=until)
    is_edited = saved is not None and saved.content() != rule.content()
    longest = sorted(told.firings, key=lambda one: -one.lasted_s(until))[:MOST_SHOWN]
    shown = sorted(longest, key=lambda one: one.opened_at)
    drifting = told.drifting[:MOST_SHOWN]
    uids = dict(
        Terminal.objects.filter(pk__in={*drifting, *(one.terminal_id for one in shown)}).values_list("pk", "uid")
    )
    return PreviewPanel(
        span=span,
        told=told,
        fired=[_line(rule, one, uids, until) for one in shown],
        drifting=[uids[pk] for pk in drifting if pk in uids],
        plot=_plot(rule, told),
        before=preview(saved, since=since, until=until) if saved is not None and is_edited else None,
    )


def bounds(span: str, *, at: datetime) -> tuple[datetime, datetime]:
    """Yesterday is that of `TMS_TIME_ZONE`."""
    if span == "7d":
        return at - 7 * DAY, at
    if span == "24h":
        return at - DAY, at
    midnight = at.astimezone(get_default_timezone()).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - timedelta(hours=12)).replace(hour=0), midnight


def _line(rule: Rule, firing: SimulatedAlert, uids: dict[int, str], until: datetime) -> SimulatedAlertRow:
    is_down = rule.shape in {"below", "falling"}
    extreme = firing.lowest if is_down else firing.highest
    return SimulatedAlertRow(
        uid=uids.get(firing.terminal_id, "–"),
        severity=firing.severity or rule.severity,
        opened_at=firing.opened_at,
        lasted_s=firing.lasted_s(until),
        is_open=firing.ended_at is None,
        peak=limit_text(rule, None if extreme is None else round(extreme, 1)),
        changes=firing.changes,
    )


def _plot(rule: Rule, told: PreviewResult) -> Plot | None:
    if not rule.metric:
        return None
    extremes = samples.extremes(told.looked_at, rule.metric, told.since, told.until)
    return plot(rule, extremes, since=told.since, until=told.until)
