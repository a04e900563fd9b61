"""What a row of a board says: plain values, so that equal rows need not be rendered or sent again."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import get_language

from tms.accounts.names import Name, name_of
from tms.alerts.models import Alert, AlertState, RuleKind, Transition, TransitionKind
from tms.boards.expected import Expected, expected_of
from tms.fleet.models import Presence, Site, Terminal, TerminalState
from tms.live.change import Change
from tms.telemetry.models import Severity

WORST_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
COLUMNS = ("temperature_c", "cpu_pct", "link_rtt_ms", "paper_pct")
"""The readings that a table of terminals has room for."""
ALERT_COLUMNS = (
    *("severity", "state", "value", "version", "opened_at", "resolved_at", "acknowledged_at", "comment"),
    *("contract", "until", "is_stale"),
    *(
        f"rule__{name}"
        for name in ("name", "name_ja", "kind", "metric", "comparison", "limit", "may_be_resolved_by_hand")
    ),
    *(f"terminal__{name}" for name in ("uid", "label")),
    *(f"terminal__site__{name}" for name in ("code", "name", "name_ja")),
    *(f"terminal__state__{name}" for name in ("presence", "presence_at", "cause", "back_at", "due_at", "last_seen_at")),
    *(
        f"{person}__{name}"
        for person in ("acknowledged_by", "assigned_to")
        for name in ("username", "first_name", "last_name")
    ),
)
"""What a row of an alert tells: whole models cost as much again."""


REOPENING = frozenset({TransitionKind.WITHDRAWN, TransitionKind.EXPIRED, TransitionKind.UNDONE})
DECIDING = REOPENING | {
    TransitionKind.OPENED,
    TransitionKind.ACKNOWLEDGED,
    TransitionKind.SNOOZED,
    TransitionKind.RESOLVED,
}
"""Steps after which an alert is in another state."""


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


class Step(NamedTuple):
    """One transition of an alert."""

    at: datetime
    kind: str
    by: Name | None
    comment: str
    to: Name | None = None
    severity: str = ""
    contract: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlertRow:
    pk: int
    severity: str
    state: str
    rule: Bilingual
    metric: str
    comparison: str
    limit: float | None
    value: float | None
    terminal: int
    uid: str
    place: Place
    label: str
    standing: Standing
    opened_at: datetime
    resolved_at: datetime | None
    held_by: Name | None
    held_since: datetime | None
    comment: str
    steps: tuple[Step, ...]
    version: int = 1
    contract: str = ""
    until: datetime | None = None
    is_stale: bool = False
    assigned_to: Name | None = None
    may_be_resolved_by_hand: bool = False

    @property
    def element(self) -> str:
        return f"alert-{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state == AlertState.OPEN

    @property
    def is_held(self) -> bool:
        return self.state == AlertState.ACKNOWLEDGED

    @property
    def is_snoozed(self) -> bool:
        return self.state == AlertState.SNOOZED

    @property
    def reopened(self) -> Step | None:
        """Why it is open again, if nobody has taken it since."""
        decided = (step for step in reversed(self.steps) if step.kind in DECIDING)
        last = next(decided, None)
        return last if last and last.kind in REOPENING else None

    @property
    def put_off(self) -> Step | None:
        """Who put it off."""
        return next((step for step in reversed(self.steps) if step.kind == TransitionKind.SNOOZED), None)

    @property
    def is_resolved(self) -> bool:
        return self.state == AlertState.RESOLVED

    @property
    def deeds(self) -> list[tuple[str, str]]:
        """What else may be done to it, with the key for it."""
        ended = [("withdraw", "")] if self.is_held or self.is_snoozed else []
        over = [("resolve", "")] if self.may_be_resolved_by_hand else []
        return [*ended, ("snooze", "s"), ("assign", ""), ("comment", ""), *over]

    def is_touched_by(self, change: Change) -> bool:
        """The row tells the presence of its terminal, too."""
        return self.pk in change.alerts or self.terminal in change.presence


def terminal_rows(pks: Collection[int], *, at: datetime) -> dict[int, TerminalRow]:
    """The rows of these terminals, in two queries, and three more while there is maintenance."""
    terminals = list(Terminal.objects.select_related("site", "state").filter(pk__in=pks, state__isnull=False))
    held = unresolved_of(pks)
    expected = expected_of({terminal.pk: terminal.site_id for terminal in terminals}, at=at)
    return {
        terminal.pk: _terminal_row(terminal, held.get(terminal.pk, {}), expected.get(terminal.pk))
        for terminal in terminals
    }


def alert_rows(pks: Collection[int]) -> dict[int, AlertRow]:
    """The rows of these alerts, in two queries."""
    related = ("rule", "terminal__site", "terminal__state", "acknowledged_by", "assigned_to")
    alerts = Alert.objects.select_related(*related).only(*ALERT_COLUMNS).filter(pk__in=pks)
    steps = _steps_of(pks)
    return {alert.pk: _alert_row(alert, steps.get(alert.pk, ())) for alert in alerts}


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


def _steps_of(pks: Collection[int]) -> dict[int, tuple[Step, ...]]:
    steps: dict[int, tuple[Step, ...]] = {}
    for row in Transition.objects.filter(alert__in=pks).select_related("by", "to"):
        step = Step(
            at=row.at,
            kind=row.kind,
            by=name_of(row.by) if row.by else None,
            comment=row.comment,
            to=name_of(row.to) if row.to else None,
            severity=row.severity,
            contract=row.contract,
            until=row.until,
        )
        steps[row.alert_id] = (*steps.get(row.alert_id, ()), step)
    return steps


def _alert_row(alert: Alert, steps: tuple[Step, ...]) -> AlertRow:
    rule, terminal, holder, asked = alert.rule, alert.terminal, alert.acknowledged_by, alert.assigned_to
    return AlertRow(
        pk=alert.pk,
        severity=alert.severity,
        state=alert.state,
        rule=Bilingual(rule.name, rule.name_ja),
        metric=rule.metric if rule.kind == RuleKind.METRIC else "",
        comparison=rule.comparison,
        limit=rule.limit,
        value=alert.value,
        terminal=terminal.pk,
        uid=terminal.uid,
        place=place_of(terminal.site),
        label=terminal.label,
        standing=standing_of(terminal.state)._replace(last_seen_at=None),
        opened_at=alert.opened_at,
        resolved_at=alert.resolved_at,
        held_by=name_of(holder) if holder else None,
        held_since=alert.acknowledged_at,
        comment=alert.comment,
        steps=steps,
        version=alert.version,
        contract=alert.contract,
        until=alert.until,
        is_stale=alert.is_stale,
        assigned_to=name_of(asked) if asked else None,
        may_be_resolved_by_hand=rule.may_be_resolved_by_hand,
    )
