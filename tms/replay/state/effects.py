"""The state of an alert or incident after its transitions. Pure: each kind does to the columns what its service did."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from tms.alerts.models import AlertState, IncidentTransitionKind, TransitionKind


class TransitionColumns(NamedTuple):
    """The columns of a transition that a replay reads. Incidents have no `value`."""

    subject: int
    """The alert or incident."""
    kind: str
    at: datetime
    by: int | None
    comment: str
    severity: str
    contract: str
    until: datetime | None
    to: int | None = None
    value: float | None = None


@dataclass(slots=True)
class Then:
    """Columns of an alert or incident, as they were. People are primary keys."""

    state: str = AlertState.OPEN
    severity: str = ""
    """The severity; empty if it was not recorded."""
    value: float | None = None
    acknowledged_by: int | None = None
    acknowledged_at: datetime | None = None
    contract: str = ""
    until: datetime | None = None
    is_stale: bool = False
    assigned_to: int | None = None
    claimed_by: int | None = None
    comment: str = ""
    resolved_at: datetime | None = None
    is_flapping: bool = False

    @property
    def is_unresolved(self) -> bool:
        return self.state != AlertState.RESOLVED


type Effect = Callable[[Then, TransitionColumns], None]


def after(steps: Iterable[TransitionColumns], effects: Mapping[str, Effect]) -> dict[int, Then]:
    """The state of each subject after `steps`, which are in chronological order."""
    found: dict[int, Then] = {}
    for step in steps:
        then = found.get(step.subject)
        if then is None:
            then = found[step.subject] = Then()
        then.severity = step.severity or then.severity
        if step.value is not None:
            then.value = step.value
        effects.get(step.kind, _other)(then, step)
    return found


def _other(then: Then, step: TransitionColumns) -> None:
    """The effect of kinds without one of their own: what a person writes is the comment from then on."""
    if step.by is not None:
        _comment(then, step)


def _nothing(then: Then, step: TransitionColumns) -> None:
    pass


def _acknowledge(then: Then, step: TransitionColumns) -> None:
    then.state = AlertState.ACKNOWLEDGED
    then.acknowledged_by, then.acknowledged_at = step.by, step.at
    then.assigned_to = then.claimed_by = None
    then.comment = step.comment
    _change(then, step)


def _acknowledge_incident(then: Then, step: TransitionColumns) -> None:
    """Unlike an alert it keeps its comment if the new one is empty."""
    before = then.comment
    _acknowledge(then, step)
    then.comment = step.comment or before


def _change(then: Then, step: TransitionColumns) -> None:
    then.contract, then.until, then.is_stale = step.contract, step.until, False
    _comment(then, step)


def _comment(then: Then, step: TransitionColumns) -> None:
    then.comment = step.comment or then.comment


def _write(then: Then, step: TransitionColumns) -> None:
    _comment(then, step)
    then.is_stale = False


def _open_again(then: Then, _: TransitionColumns) -> None:
    then.state = AlertState.OPEN
    then.acknowledged_by = then.acknowledged_at = then.claimed_by = then.until = then.resolved_at = None
    then.contract, then.is_stale = "", False


def _reopen(then: Then, step: TransitionColumns) -> None:
    _open_again(then, step)
    _comment(then, step)


def _snooze(then: Then, step: TransitionColumns) -> None:
    _reopen(then, step)
    then.state, then.until = AlertState.SNOOZED, step.until


def _snooze_incident(then: Then, step: TransitionColumns) -> None:
    """Unlike an alert it names who snoozed it."""
    _acknowledge_incident(then, step)
    then.state = AlertState.SNOOZED


def _assign(then: Then, step: TransitionColumns) -> None:
    if then.state == AlertState.ACKNOWLEDGED:
        then.acknowledged_by = step.to
    else:
        then.assigned_to = step.to
    _comment(then, step)


def _claim(then: Then, step: TransitionColumns) -> None:
    then.claimed_by = step.by


def _unclaim(then: Then, _: TransitionColumns) -> None:
    then.claimed_by = None


def _remind(then: Then, _: TransitionColumns) -> None:
    then.is_stale = True


def _flap(then: Then, _: TransitionColumns) -> None:
    then.is_flapping = True


def _settle(then: Then, _: TransitionColumns) -> None:
    then.is_flapping = False


def _resolve(then: Then, step: TransitionColumns) -> None:
    """The person who was responsible stays in the history. A comment of TMS itself says why, and is only there."""
    then.state, then.resolved_at = AlertState.RESOLVED, step.at
    then.contract, then.until, then.claimed_by = "", None, None
    then.is_stale = then.is_flapping = False
    if step.by is not None:
        _comment(then, step)


def _resolve_incident(then: Then, step: TransitionColumns) -> None:
    then.state, then.resolved_at = AlertState.RESOLVED, step.at
    then.until = then.claimed_by = None


def _resolve_by_hand(then: Then, step: TransitionColumns) -> None:
    _resolve_incident(then, step)
    if step.by is not None:
        _comment(then, step)


OF_ALERTS: Mapping[str, Effect] = {
    TransitionKind.ACKNOWLEDGED: _acknowledge,
    TransitionKind.CHANGED: _change,
    TransitionKind.REOPENED: _reopen,
    TransitionKind.EXPIRED: _open_again,
    TransitionKind.REOPENED_WORSE: _open_again,
    TransitionKind.SNOOZED: _snooze,
    TransitionKind.ASSIGNED: _assign,
    TransitionKind.COMMENTED: _write,
    TransitionKind.REMINDED: _remind,
    TransitionKind.CLAIMED: _claim,
    TransitionKind.UNCLAIMED: _unclaim,
    TransitionKind.FLAPPING: _flap,
    TransitionKind.STABLE: _settle,
    TransitionKind.RESOLVED: _resolve,
}
OF_INCIDENTS: Mapping[str, Effect] = {
    IncidentTransitionKind.ACKNOWLEDGED: _acknowledge_incident,
    IncidentTransitionKind.CHANGED: _change,
    IncidentTransitionKind.REOPENED: _reopen,
    IncidentTransitionKind.EXPIRED: _open_again,
    IncidentTransitionKind.REOPENED_WORSE: _open_again,
    IncidentTransitionKind.SNOOZED: _snooze_incident,
    IncidentTransitionKind.ASSIGNED: _assign,
    IncidentTransitionKind.JOINED: _comment,
    IncidentTransitionKind.MOVED_OUT: _nothing,
    IncidentTransitionKind.CLAIMED: _claim,
    IncidentTransitionKind.UNCLAIMED: _unclaim,
    IncidentTransitionKind.DISSOLVED: _resolve_incident,
    IncidentTransitionKind.MERGED: _resolve_incident,
    IncidentTransitionKind.RESOLVED: _resolve_by_hand,
}
