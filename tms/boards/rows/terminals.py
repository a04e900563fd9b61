"""Rows of terminals: plain values, so that equal rows need not be rendered or sent again."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from tms.alerts.models import Alert, RuleSource
from tms.boards.rows.common import LinkView, SiteLabel, link_view
from tms.boards.rows.planned import Expected, expected_of
from tms.fleet.models import Lifecycle, Terminal
from tms.fleet.sites.names import Bilingual
from tms.lib.db.prepared import DbRow, QueryByKeys
from tms.lib.severity import worst

COLUMNS = ("temperature_c", "cpu_pct", "link_rtt_ms", "paper_pct")
"""The readings that fit in a table of terminals."""


class ReadingCell(NamedTuple):
    metric: str
    value: float | None
    over: str = ""
    """The severity of the alert that this value caused."""


@dataclass(frozen=True, slots=True)
class TerminalRow:
    pk: int
    uid: str
    site_label: SiteLabel
    label: str
    model: str
    firmware: str
    link: LinkView
    expected: Expected | None
    status: str
    readings: tuple[ReadingCell, ...]
    severity: str
    """The worst of its unresolved alerts; empty without any."""
    alerts: int
    lifecycle: str = Lifecycle.IN_SERVICE.value

    @property
    def element(self) -> str:
        return f"terminal-{self.pk}"


class TerminalColumns(NamedTuple):
    pk: int
    uid: str
    label: str
    model: str
    firmware: str
    lifecycle: str
    site_id: int
    site_code: str
    site_name: str
    site_name_ja: str
    presence: str
    presence_at: datetime | None
    cause: str
    back_at: datetime | None
    due_at: datetime | None
    last_seen_at: datetime | None
    status: str
    metrics: str | Mapping[str, float]
    """JSON, or its object."""


def _columns_of(pks: Collection[int]) -> QuerySet[Terminal, DbRow]:
    rows = Terminal.objects.filter(pk__in=pks, state__isnull=False)
    of_site = ("site", "site__code", "site__name", "site__name_ja")
    of_state = ("presence", "presence_at", "cause", "back_at", "due_at", "last_seen_at", "status", "metrics")
    return rows.values_list(
        "pk", "uid", "label", "model", "firmware", "lifecycle", *of_site, *(f"state__{name}" for name in of_state)
    )


_terminals = QueryByKeys(_columns_of)


def terminal_rows(pks: Collection[int], *, at: datetime) -> dict[int, TerminalRow]:
    """Rows of these terminals, in two queries; three more while there is maintenance."""
    if not pks:
        return {}
    terminals = [TerminalColumns(*row) for row in _terminals(pks)]
    severities_of = unresolved_of(pks)
    expected = expected_of({terminal.pk: terminal.site_id for terminal in terminals}, at=at)
    return {
        terminal.pk: _terminal_row(terminal, severities_of.get(terminal.pk, {}), expected.get(terminal.pk))
        for terminal in terminals
    }


def readings_of(
    values: Mapping[str, float], over: Mapping[str, str], metrics: Iterable[str]
) -> tuple[ReadingCell, ...]:
    return tuple(ReadingCell(metric, values.get(metric), over.get(metric, "")) for metric in metrics)


type SeveritiesByMetric = dict[str, list[str]]
"""Severities of a terminal's unresolved alerts by the metric of their rule; "" for a rule of another kind."""


def _unresolved_of(pks: Collection[int]) -> QuerySet[Alert, DbRow]:
    rows = Alert.objects.unresolved().filter(terminal__in=pks)
    return rows.values_list("terminal", "severity", "rule__kind", "rule__metric")


_unresolved = QueryByKeys(_unresolved_of)


def unresolved_of(pks: Collection[int]) -> dict[int, SeveritiesByMetric]:
    """Severities of each terminal's unresolved alerts, in one query (index: alert_unresolved)."""
    severities_of: dict[int, SeveritiesByMetric] = {}
    for terminal_id, severity, kind, metric in _unresolved(pks):
        severities_of.setdefault(terminal_id, {}).setdefault(metric if kind == RuleSource.METRIC else "", []).append(
            severity
        )
    return severities_of


def over_of(severities_of: SeveritiesByMetric) -> dict[str, str]:
    """The severity at which each metric is beyond a threshold."""
    return {metric: worst(severities) for metric, severities in severities_of.items() if metric}


def _terminal_row(
    terminal: TerminalColumns, severities_of: SeveritiesByMetric, expected: Expected | None
) -> TerminalRow:
    severities = [severity for group in severities_of.values() for severity in group]
    metrics = json.loads(terminal.metrics) if isinstance(terminal.metrics, str) else terminal.metrics
    return TerminalRow(
        pk=terminal.pk,
        uid=terminal.uid,
        site_label=SiteLabel(terminal.site_code, Bilingual(terminal.site_name, terminal.site_name_ja)),
        label=terminal.label,
        model=terminal.model,
        firmware=terminal.firmware,
        link=link_view(terminal),
        expected=expected,
        status=terminal.status,
        readings=readings_of(metrics, over_of(severities_of), COLUMNS),
        severity=worst(severities),
        alerts=len(severities),
        lifecycle=terminal.lifecycle,
    )
