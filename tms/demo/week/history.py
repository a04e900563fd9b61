"""Writes the outages and alerts of the demo's week as TMS would have recorded them, with few statements."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from tms.accounts.models import User
from tms.alerts.models import Rule
from tms.alerts.models.alert import Alert, AlertState
from tms.alerts.models.incident import Incident
from tms.alerts.models.membership import MembershipChange
from tms.alerts.models.transition import Transition, TransitionKind
from tms.demo.week.faults import DeviceFault
from tms.demo.week.losses import OFFLINE_AFTER, Loss
from tms.fleet.models import Presence, Terminal
from tms.fleet.models.outage import Outage, OutageCause
from tms.fleet.models.presence import PresenceChange
from tms.lib.calendar.opening_hours import Hours

OFFLINE = "Offline"
ALERT_AFTER = OFFLINE_AFTER + timedelta(seconds=60)
"""Time from the loss of a link until the alert: the rule `Offline` has a duration of a minute."""
WITHOUT_ALERT = frozenset({OutageCause.PLANNED, OutageCause.SERVER})
ANSWERED = 0.85
"""Share of the alerts that a person acknowledges, if they last long enough."""


@dataclass(slots=True)
class Story:
    """Resolved alerts with their transitions, not saved yet."""

    people: Sequence[User]
    rules: Mapping[str, Rule]
    hours: Mapping[int, Hours]
    """Opening hours by site."""
    rng: Random = field(default_factory=lambda: Random(7))
    alerts: list[Alert] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)

    def add(
        self,
        terminal: Terminal,
        rule: str,
        *,
        opened_at: datetime,
        resolved_at: datetime,
        value: float | None = None,
        comment: str = "",
        incident: Incident | None = None,
    ) -> None:
        """An alert with its history; that of an incident is acknowledged with it."""
        made = Alert(
            rule=self.rules[rule],
            terminal=terminal,
            severity=self.rules[rule].severity,
            state=AlertState.RESOLVED,
            opened_at=opened_at,
            changed_at=resolved_at,
            resolved_at=resolved_at,
            value=value,
            incident=incident,
            suppressed_at_open="",
        )
        self.alerts.append(made)
        self._record(made, TransitionKind.OPENED, opened_at)
        if answer := self._answer(made):
            made.acknowledged_by, made.acknowledged_at = answer
            made.first_acknowledged_at, made.comment = made.acknowledged_at, comment
            self._record(made, TransitionKind.ACKNOWLEDGED, answer[1], by=answer[0], comment=comment)
        self._record(made, TransitionKind.RESOLVED, resolved_at)

    def save(self) -> None:
        Alert.objects.bulk_create(self.alerts)
        Transition.objects.bulk_create(self.transitions)
        MembershipChange.objects.bulk_create(
            MembershipChange(alert=alert, at=max(alert.opened_at, alert.incident.opened_at), incident=alert.incident)
            for alert in self.alerts
            if alert.incident is not None
        )

    def person_at(self, at: datetime) -> User:
        """The person on shift: they take turns every eight hours."""
        return self.people[int(at.timestamp() // 28_800) % len(self.people)]

    def _answer(self, alert: Alert) -> tuple[User, datetime] | None:
        if alert.incident is not None:
            by, at = alert.incident.acknowledged_by, alert.incident.acknowledged_at
            return (by, at) if by and at else None
        at = alert.opened_at + timedelta(seconds=self.rng.lognormvariate(5, 0.7))
        is_answered = alert.resolved_at and at < alert.resolved_at and self.rng.random() < ANSWERED
        return (self.person_at(at), at) if is_answered else None

    def _record(
        self, alert: Alert, kind: TransitionKind, at: datetime, *, by: User | None = None, comment: str = ""
    ) -> None:
        """Dispatched already, so that nobody is notified of the past."""
        self.transitions.append(
            Transition(alert=alert, kind=kind, at=at, by=by, comment=comment, severity=alert.severity, dispatched_at=at)
        )


def write_losses(losses: Sequence[Loss]) -> None:
    """Outages, and the changes of presence."""
    Outage.objects.bulk_create(outage for loss in losses for outage in _outages(loss))
    PresenceChange.objects.bulk_create(change for loss in losses for change in _changes(loss))


def alerts_of_losses(losses: Iterable[Loss], story: Story) -> None:
    """Single terminals only; `incidents` adds those of whole sites."""
    for loss in losses:
        if loss.site is None and loss.cause not in WITHOUT_ALERT:
            alert_of_loss(loss, story)


def alert_of_loss(loss: Loss, story: Story, incident: Incident | None = None) -> None:
    """Write the alert of a loss, if it lasted for long enough, while the site was open."""
    opened_at = loss.began_at + ALERT_AFTER
    if opened_at >= loss.ended_at:
        return
    for terminal in loss.terminals:
        if story.hours[terminal.site_id].is_open(opened_at):
            story.add(terminal, OFFLINE, opened_at=opened_at, resolved_at=loss.ended_at, incident=incident)


def alerts_of_faults(faults: Iterable[DeviceFault], story: Story) -> None:
    for fault in faults:
        story.add(
            fault.terminal,
            fault.rule,
            opened_at=fault.opened_at,
            resolved_at=fault.resolved_at,
            value=fault.value,
            comment=fault.comment,
        )


def _outages(loss: Loss) -> Iterator[Outage]:
    offline_at = loss.began_at + OFFLINE_AFTER
    was_offline = offline_at < loss.ended_at and loss.cause not in WITHOUT_ALERT
    for terminal in loss.terminals:
        yield Outage(
            terminal=terminal,
            began_at=loss.began_at,
            ended_at=loss.ended_at,
            cause=loss.cause,
            lost_by=loss.lost_by,
            offline_at=offline_at if was_offline else None,
            has_restarted=loss.cause in {OutageCause.POWER, OutageCause.APPLICATION, OutageCause.PLANNED},
            reports_sent=0,
        )


def _changes(loss: Loss) -> Iterator[PresenceChange]:
    for terminal in loss.terminals:
        before = Presence.ONLINE
        for at, presence in _presences(loss):
            cause = "" if presence is Presence.ONLINE else loss.lost_by
            yield PresenceChange(terminal=terminal, at=at, presence=presence, before=before, cause=cause)
            before = presence


def _presences(loss: Loss) -> Iterator[tuple[datetime, Presence]]:
    yield loss.began_at, Presence.REBOOTING if loss.cause is OutageCause.PLANNED else Presence.SILENT
    offline_at = loss.began_at + OFFLINE_AFTER
    if offline_at < loss.ended_at and loss.cause not in WITHOUT_ALERT:
        yield offline_at, Presence.OFFLINE
    yield loss.ended_at, Presence.ONLINE
