"""What a row of a board says: plain values, so that equal rows need not be rendered or sent again."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import get_language

from tms.alerts.models import Alert, RuleKind
from tms.boards.rows.planned import Expected, expected_of
from tms.fleet.models import Presence, Site, Terminal, TerminalState
from tms.lib.severity import (Severity)

WORST_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
COLUMNS = ("temperature_c", "cpu_pct", "link_rtt_ms", "paper_pct")
"""The readings that a table of terminals has room for."""


class Bilingual(NamedTuple):
    """A name in English and, if it has one, in Japanese; shown in the language of whoever looks."""

    en: str
    ja: str

    def __str__(self) -> str:
        return self.ja if self.ja and get_language() == "ja" else self.en


class Place(NamedTuple):
    code: str
    name: Bilingual


class Standing(NamedTuple):
    """What TMS knows of the link."""

    presence: str
    since: datetime | None
    cause: str
    back_at: datetime | None
    due_at: datetime | None
    last_seen_at: datetime | None


class Reading(NamedTuple):
    metric: str
    value: float | None
    over: str = ""
    """The severity of the alert that this value holds."""


@dataclass(frozen=True, slots=True)
class TerminalRow:
    pk: int
    uid: str
    place: Place
    label: str
    model: str
    firmware: str
    standing: Standing
    expected: Expected | None
    status: str
    readings: tuple[Reading, ...]
    severity: str
    """The worst of its unresolved alerts; empty without any."""
    alerts: int

    @property
    def element(self) -> str:
        return f"terminal-{self.pk}"


def terminal_rows(pks: Collection[int], *, at: datetime) -> dict[int, TerminalRow]:
    """The rows of these terminals, in two queries, and three more while there is maintenance."""
    terminals = list(Terminal.objects.select_related("site", "state").filter(pk__in=pks, state__isnull=False))
    held = unresolved_of(pks)
    expected = expected_of({terminal.pk: terminal.site_id for terminal in terminals}, at=at)
    return {
        terminal.pk: _terminal_row(terminal, held.get(terminal.pk, {}), expected.get(terminal.pk))
        for terminal in terminals
    }


def place_of(site: Site) -> Place:
    return Place(site.code, Bilingual(site.name, site.name_ja))


def standing_of(state: TerminalState) -> Standing:
    # While a terminal is online the instant moves with its lease, and tells a person nothing.
    due_at = state.due_at if state.presence == Presence.SILENT else None
    return Standing(state.presence, state.presence_at, state.cause, state.back_at, due_at, state.last_seen_at)


def readings_of(state: TerminalState, over: Mapping[str, str], metrics: Iterable[str]) -> tuple[Reading, ...]:
    return tuple(Reading(metric, state.metrics.get(metric), over.get(metric, "")) for metric in metrics)


def worst(severities: Collection[str]) -> str:
    return next((severity for severity in WORST_FIRST if severity in severities), "")


type Held = dict[str, list[str]]
"""Severities of a terminal's unresolved alerts by the metric of their rule; "" for a rule of another kind."""


def unresolved_of(pks: Collection[int]) -> dict[int, Held]:
    """What each of these terminals has open, in one query (index: alert_unresolved)."""
    rows = Alert.objects.unresolved().filter(terminal__in=pks)
    held: dict[int, Held] = {}
    for terminal_id, severity, kind, metric in rows.values_list("terminal", "severity", "rule__kind", "rule__metric"):
        held.setdefault(terminal_id, {}).setdefault(metric if kind == RuleKind.METRIC else "", []).append(severity)
    return held


def over_of(held: Held) -> dict[str, str]:
    """The severity at which each metric is beyond a limit."""
    return {metric: worst(severities) for metric, severities in held.items() if metric}


def _terminal_row(terminal: Terminal, held: Held, expected: Expected | None) -> TerminalRow:
    state = terminal.state
    severities = [severity for group in held.values() for severity in group]
    return TerminalRow(
        pk=terminal.pk,
        uid=terminal.uid,
        place=place_of(terminal.site),
        label=terminal.label,
        model=terminal.model,
        firmware=terminal.firmware,
        standing=standing_of(state),
        expected=expected,
        status=state.status,
        readings=readings_of(state, over_of(held), COLUMNS),
        severity=worst(severities),
        alerts=len(severities),
    )
