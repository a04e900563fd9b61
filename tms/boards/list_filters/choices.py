"""Choices of filters and forms. They do not change while a page is open."""

from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.access import Person, visible
from tms.alerts.models import Rule, RuleSource
from tms.boards.list_filters.filters import AlertFilter, TerminalFilter
from tms.boards.rows.planned import PlannedKind
from tms.fleet.models import BY_URGENCY, Presence, Site, Terminal
from tms.lib.db.natural_order import natural
from tms.lib.severity import Severity
from tms.protocol.limits import METRIC_NAMES
from tms.telemetry import metric_names
from tms.telemetry.history import series

SHOWN_READINGS = 10
OF_QUERY = frozenset({"q", "after", "before"})
"""Parameters of a list that another query replaces."""
NOTHING = series.ReadingRange(None)
SPAN_LABELS = {"30m": _("30 min"), "6h": _("6 h"), "7d": _("7 d"), "30d": _("30 d"), "1y": _("1 y")}
BUCKETS = {"7d": _("each hour"), "30d": _("each hour"), "1y": _("each day")}
"""A row of the table is a single report; for longer ranges, a bucket."""
LEGEND = (
    ("critical", Severity.CRITICAL.label),
    ("warning", Severity.WARNING.label),
    ("offline", Presence.OFFLINE.label),
    ("silent", Presence.SILENT.label),
    ("maintenance", PlannedKind.MAINTENANCE.label),
    ("closed", Presence.CLOSED.label),
    ("ok", _("Normal")),
)


class Choice(NamedTuple):
    value: str
    label: str | Promise
    is_chosen: bool
    address: str = ""


class QueryChoice(NamedTuple):
    """A value of a field that a click adds to the query, or removes from it."""

    field: str
    value: str
    label: str | Promise
    is_chosen: bool
    q: str
    """The query after the click."""
    address: str


def query_choices(chosen: TerminalFilter, address: str) -> list[QueryChoice]:
    """Presence and planned absence beside the query of the list that has this address."""
    labels = {
        **{("presence", name.value): name.label for name in BY_URGENCY},
        **{("expected", plan.value): plan.label for plan in PlannedKind},
    }
    return [_query_choice(chosen, address, field, value, label) for (field, value), label in labels.items()]


def _query_choice(chosen: TerminalFilter, address: str, field: str, value: str, label: str | Promise) -> QueryChoice:
    after = chosen.toggled(field, value)
    is_chosen = value in chosen.chosen(field)
    return QueryChoice(field, value, label, is_chosen, after.q, _asking(address, after))


def _asking(address: str, chosen: TerminalFilter) -> str:
    """The first page of the same list with another query."""
    path, _, query = address.partition("?")
    kept = urlencode([(name, value) for name, value in parse_qsl(query) if name not in OF_QUERY])
    return f"{path}?{'&'.join(filter(None, (chosen.query, kept)))}".rstrip("?")


ORDERS = (
    ("impact", _("By impact")),
    ("severity", pgettext_lazy("order", "By severity")),
    ("oldest", _("Oldest first")),
)


def orders(chosen: str) -> list[Choice]:
    return [Choice(value, label, value == chosen) for value, label in ORDERS]


def severities(chosen: AlertFilter) -> list[Choice]:
    return [Choice(name.value, name.label, name.value in chosen.severity) for name in Severity]


def site_options(*, to: Person) -> list[tuple[str, str]]:
    """Code and name of each site, in natural order of the codes."""
    sites = visible(Site.objects.order_by(natural("code")), to=to)
    return [(site.code, site.local_name) for site in sites]


def chart(terminal: Terminal, span: str, *, at: datetime) -> dict[str, object]:
    """Ranges and texts of the chart, and its newest readings as a table for screen readers."""
    newest = series.newest(terminal, series.SPANS[span], limit=SHOWN_READINGS, at=at)
    names = sorted(list(dict.fromkeys(name for _, readings in newest for name in readings))[:METRIC_NAMES])
    return {
        "spans": [Choice(name, SPAN_LABELS[name], name == span, f"?span={name}") for name in series.SPANS],
        "span": span,
        "bucket": BUCKETS.get(span, ""),
        "span_s": int(series.SPANS[span].length.total_seconds()),
        "metrics": {name: _legend(name) for name in (*metric_names.LABELS, *names)},
        "presence_labels": {name.value: str(name.label) for name in Presence},
        "newest": [(moment, [(name, readings.get(name, NOTHING)) for name in names]) for moment, readings in newest],
        "newest_names": names,
    }


def alert_chart(
    rule: Rule, *, at: datetime, around: timedelta, until: datetime | None = None
) -> dict[str, object] | None:
    """Range and texts of the chart of an alert that opened `at`; None for a rule that watches no metric.

    It ends at the instant `until`, if that is earlier.
    """
    if rule.kind != RuleSource.METRIC:
        return None
    return {
        "since": (at - around).timestamp(),
        "until": (min(at + around, until) if until else at + around).timestamp(),
        "metric": rule.metric,
        "metrics": {rule.metric: _legend(rule.metric)},
        "presence_labels": {name.value: str(name.label) for name in Presence},
    }


def _legend(name: str) -> dict[str, object]:
    known = metric_names.metric(name)
    return {"label": str(known.label), "unit": known.unit.strip()}
