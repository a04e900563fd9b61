"""Rows of alerts."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet

from tms.accounts.display_names import Name, name_of
from tms.alerts.models import Alert, AlertState, RuleSource, Transition, TransitionKind
from tms.boards.rows.buttons import Buttons, buttons_of
from tms.boards.rows.common import LinkView, SiteLabel, link_view, reopening, site_label
from tms.boards.rows.viewers import Viewer, viewers
from tms.feed.change import Change
from tms.fleet.sites.impact import ImpactReason
from tms.fleet.sites.names import Bilingual

PEOPLE = ("acknowledged_by", "assigned_to", "claimed_by")
ALERT_COLUMNS = (
    *("severity", "state", "value", "version", "opened_at", "resolved_at", "acknowledged_at", "comment"),
    *("flapping__changes", "flapping__is_failing", "flapping__ended_at"),
    *("contract", "until", "is_stale", "claimed_until", "incident"),
    *(f"rule__{name}" for name in ("name", "name_ja", "kind", "metric", "comparison", "may_be_resolved_by_hand")),
    *(f"rule__{name}" for name in ("severity", "limit", "lower_limit", "higher_thresholds")),
    *(f"terminal__{name}" for name in ("uid", "label", "kind")),
    *(f"terminal__site__{name}" for name in ("code", "name", "name_ja")),
    *(f"terminal__state__{name}" for name in ("presence", "presence_at", "cause", "back_at", "due_at", "last_seen_at")),
    *(f"{person}__{name}" for person in PEOPLE for name in ("username", "first_name", "last_name")),
)
"""Columns of an alert's row. Whole models would cost twice as much."""


class Flaps(NamedTuple):
    """Flapping: how often it opened and recovered."""

    changes: int
    is_failing: bool
    """Whether its rule matches now."""


class TransitionRow(NamedTuple):
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
    rule_kind: str
    """Key of `RULE_KINDS`."""
    limit: float | None
    lower_limit: float | None
    """The limits of the threshold that was reached."""
    value: float | None
    terminal: int
    uid: str
    kind: str
    site: int
    site_label: SiteLabel
    label: str
    link: LinkView
    opened_at: datetime
    resolved_at: datetime | None
    acknowledged_by: Name | None
    acknowledged_at: datetime | None
    comment: str
    transitions: tuple[TransitionRow, ...]
    version: int = 1
    contract: str = ""
    until: datetime | None = None
    is_stale: bool = False
    assigned_to: Name | None = None
    may_be_resolved_by_hand: bool = False
    incident: int | None = None
    """The incident that it is part of."""
    flaps: Flaps | None = None
    claimed_by: Name | None = None
    claimed_until: datetime | None = None
    why: ImpactReason | None = None
    """The reason for its position in the order by impact."""
    here: tuple[Viewer, ...] = ()
    """Who is viewing it, or typing."""
    is_past: bool = False
    """Whether the row shows a past instant: there is nothing to do."""

    subject = "alert"

    @property
    def element(self) -> str:
        return f"alert-{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state == AlertState.OPEN

    @property
    def is_acknowledged(self) -> bool:
        return self.state == AlertState.ACKNOWLEDGED

    @property
    def is_claimed(self) -> bool:
        return self.is_open and self.claimed_by is not None

    @property
    def is_snoozed(self) -> bool:
        return self.state == AlertState.SNOOZED

    @property
    def reopened(self) -> TransitionRow | None:
        """Why it was reopened, if nobody has acknowledged it since."""
        return reopening(self.transitions, TransitionKind)

    @property
    def put_off(self) -> TransitionRow | None:
        """Who snoozed it."""
        return next(
            (transition for transition in reversed(self.transitions) if transition.kind == TransitionKind.SNOOZED), None
        )

    @property
    def is_resolved(self) -> bool:
        return self.state == AlertState.RESOLVED

    @property
    def buttons(self) -> Buttons:
        return buttons_of(self)

    def is_touched_by(self, change: Change) -> bool:
        """Whether `change` affects the row: it also shows the presence of its terminal, and the viewers."""
        return self.pk in change.alerts or self.element in change.viewings or self.terminal in change.presence


def alert_rows(pks: Collection[int]) -> dict[int, AlertRow]:
    """Rows of these alerts, in two queries; one more if they have viewers."""
    alerts = _alerts(pks)
    transitions, people = _transitions_of(Q(alert__in=pks)), viewers(f"alert-{pk}" for pk in pks)
    return {
        alert.pk: _alert_row(alert, transitions.get(alert.pk, ()), people.get(f"alert-{alert.pk}", ()))
        for alert in alerts
    }


def resolved_alerts(pks: Collection[int]) -> list[Alert]:
    """The resolved alerts, with what a row shows: a resolved alert does not change any more."""
    return list(_alerts(pks).exclude(resolved_at=None))


def past_rows(alerts: Collection[Alert], *, at: datetime) -> dict[int, AlertRow]:
    """Rows of alerts that have the values of a past instant, in one query."""
    transitions = _transitions_of(Q(alert__in=[alert.pk for alert in alerts], at__lte=at))
    rows = (_alert_row(alert, transitions.get(alert.pk, ()), ()) for alert in alerts)
    return {row.pk: replace(row, is_past=True) for row in rows}


def _alerts(pks: Collection[int]) -> QuerySet[Alert]:
    related = ("rule", "terminal__site", "terminal__state", "flapping", *PEOPLE)
    return Alert.objects.select_related(*related).only(*ALERT_COLUMNS).filter(pk__in=pks)


def _transitions_of(chosen: Q) -> dict[int, tuple[TransitionRow, ...]]:
    transitions: dict[int, tuple[TransitionRow, ...]] = {}
    for row in Transition.objects.filter(chosen).select_related("by", "to"):
        transition = TransitionRow(
            at=row.at,
            kind=row.kind,
            by=name_of(row.by) if row.by else None,
            comment=row.comment,
            to=name_of(row.to) if row.to else None,
            severity=row.severity,
            contract=row.contract,
            until=row.until,
        )
        transitions[row.alert_id] = (*transitions.get(row.alert_id, ()), transition)
    return transitions


def _alert_row(alert: Alert, transitions: tuple[TransitionRow, ...], people: tuple[Viewer, ...]) -> AlertRow:
    rule, terminal, person, assignee = alert.rule, alert.terminal, alert.acknowledged_by, alert.assigned_to
    claimant = alert.claimed_by
    threshold = next((one for one in rule.thresholds if one["severity"] == alert.severity), rule.thresholds[0])
    return AlertRow(
        pk=alert.pk,
        severity=alert.severity,
        state=alert.state,
        rule=Bilingual(rule.name, rule.name_ja),
        metric=rule.metric if rule.kind == RuleSource.METRIC else "",
        rule_kind=rule.kind_name,
        limit=threshold.get("limit"),
        lower_limit=threshold.get("lower_limit"),
        value=alert.value,
        terminal=terminal.pk,
        uid=terminal.uid,
        kind=terminal.kind,
        site=terminal.site_id,
        site_label=site_label(terminal.site),
        label=terminal.label,
        link=link_view(terminal.state)._replace(last_seen_at=None),
        opened_at=alert.opened_at,
        resolved_at=alert.resolved_at,
        acknowledged_by=name_of(person) if person else None,
        acknowledged_at=alert.acknowledged_at,
        comment=alert.comment,
        transitions=transitions,
        version=alert.version,
        contract=alert.contract,
        until=alert.until,
        is_stale=alert.is_stale,
        assigned_to=name_of(assignee) if assignee else None,
        may_be_resolved_by_hand=rule.may_be_resolved_by_hand,
        incident=alert.incident_id,
        flaps=Flaps(alert.flapping.changes, alert.flapping.is_failing) if alert.is_flapping else None,
        claimed_by=name_of(claimant) if claimant else None,
        claimed_until=alert.claimed_until,
        here=people,
    )
