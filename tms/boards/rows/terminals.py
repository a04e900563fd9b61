"""Rows of terminals: plain values, so that equal rows need not be rendered or sent again."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from tms.alerts.models import Alert, RuleSource
from tms.boards.rows.common import LinkView, SiteLabel, link_view, site_label, worst
from tms.boards.rows.planned import Expected, expected_of
from tms.fleet.models import Terminal, TerminalState

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

    @property
    def element(self) -> str:
        return f"terminal-{self.pk}"


def terminal_rows(pks: Collection[int], *, at: datetime) -> dict[int, TerminalRow]:
    """Rows of these terminals, in two queries; three more while there is maintenance."""
    terminals = list(Terminal.objects.select_related("site", "state").filter(pk__in=pks, state__isnull=False))
    severities_of = unresolved_of(pks)
    expected = expected_of({terminal.pk: terminal.site_id for terminal in terminals}, at=at)
    return {
        terminal.pk: _terminal_row(terminal, severities_of.get(terminal.pk, {}), expected.get(terminal.pk))
        for terminal in terminals
    }


def readings_of(state: TerminalState, over: Mapping[str, str], metrics: Iterable[str]) -> tuple[ReadingCell, ...]:
    return tuple(ReadingCell(metric, state.metrics.get(metric), over.get(metric, "")) for metric in metrics)


type SeveritiesByMetric = dict[str, list[str]]
"""Severities of a terminal's unresolved alerts by the metric of their rule; "" for a rule of another kind."""


def unresolved_of(pks: Collection[int]) -> dict[int, SeveritiesByMetric]:
    """Severities of each terminal's unresolved alerts, in one query (index: alert_unresolved)."""
    rows = Alert.objects.unresolved().filter(terminal__in=pks)
    severities_of: dict[int, SeveritiesByMetric] = {}
    for terminal_id, severity, kind, metric in rows.values_list("terminal", "severity", "rule__kind", "rule__metric"):
        severities_of.setdefault(terminal_id, {}).setdefault(metric if kind == RuleSource.METRIC else "", []).append(
            severity
        )
    return severities_of


def over_of(severities_of: SeveritiesByMetric) -> dict[str, str]:
    """The severity at which each metric is beyond a threshold."""
    return {metric: worst(severities) for metric, severities in severities_of.items() if metric}


def _terminal_row(terminal: Terminal, severities_of: SeveritiesByMetric, expected: Expected | None) -> TerminalRow:
    state = terminal.state
    severities = [severity for group in severities_of.values() for severity in group]
    return TerminalRow(
        pk=terminal.pk,
        uid=terminal.uid,
        site_label=site_label(terminal.site),
        label=terminal.label,
        model=terminal.model,
        firmware=terminal.firmware,
        link=link_view(state),
        expected=expected,
        status=state.status,
        readings=readings_of(state, over_of(severities_of), COLUMNS),
        severity=worst(severities),
        alerts=len(severities),
    )
