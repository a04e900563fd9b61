"""Who would be notified of an alert, and when: the decisions of the dispatcher, on a clock that runs ahead.

Nothing is saved or sent. Nobody acknowledges, and everything else stays as it is now.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from tms.alerts.suppression.reasons import CHECK_AGAIN, Reason, Suppression
from tms.notifications.models.delivery import NotificationKind
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Escalation, NamedDestination, Policy, Step
from tms.notifications.policies.escalation import Circumstances, advance, reached_by, start_escalations
from tms.notifications.policies.notification import Notification
from tms.notifications.policies.preview.case import PreviewCase
from tms.notifications.policies.schedule import outside_hours
from tms.notifications.policies.steps import SkipReason, steps_of
from tms.notifications.push.audience import Audience

HORIZON = timedelta(days=1)
MAX_TURNS = 100
"""Instants at which something is decided."""
OPEN_ENDED = frozenset({Reason.PARENT, Reason.INCIDENT})
"""Suppressions that end when something happens, and not at a known time."""


@dataclass(frozen=True, kw_only=True)
class PreviewItem:
    """One line: a destination is notified, or is not, or the policy waits."""

    at: datetime
    """When it is decided."""
    policy: Policy
    step: int = 0
    """The number of the step, from 1; 0 while the policy waits."""
    is_repeat: bool = False
    """The first of its repeats; the policy goes on like this."""
    named: NamedDestination | None = None
    """The destination that the step names. None: the policy waits."""
    sent_at: datetime | None = None
    """When it is sent. None: never, or nobody knows when."""
    reason: str = ""
    """A value of `SkipReason`, of `suppression.reasons.Reason`, or `hours`; empty if it is sent."""
    until: datetime | None = None
    """End of the reason."""

    @property
    def destination(self) -> Destination | None:
        return self.named.destination if self.named else None


def timeline(case: PreviewCase, policies: Iterable[Policy], *, at: datetime) -> Iterator[PreviewItem]:
    """What would happen within a day if it opened at `at`, in order."""
    escalations = list(
        start_escalations(case.subject, case.concern, policies, kind=NotificationKind.OPENED, happened_at=at, at=at)
    )
    for number, escalation in enumerate(escalations, 1):
        escalation.pk = -number  # never saved
    for _turn in range(MAX_TURNS):
        instants = [one.due_at for one in escalations if one.due_at is not None and one.due_at <= at + HORIZON]
        if not instants:
            return
        due = [one for one in escalations if one.due_at == min(instants)]
        now = _circumstances(case, due, at=min(instants))
        for escalation in due:
            yield from _advance(escalation, now)


def _circumstances(case: PreviewCase, due: Sequence[Escalation], *, at: datetime) -> Circumstances:
    why, steps = case.suppression(at), steps_of({escalation.policy_id for escalation in due}, at=at)
    return Circumstances(
        at,
        {case.subject},
        {case.subject: why} if why else {},
        outside_hours(due, at=at),
        steps,
        {case.subject: case.concern},
        Audience(reached_by(steps), at=at),
    )


def _advance(escalation: Escalation, now: Circumstances) -> Iterator[PreviewItem]:
    taken, next_step = escalation.steps_taken, escalation.next_step
    notifications = advance(escalation, now)
    if escalation.suppression:
        yield _waiting(escalation, now)
        return
    if escalation.steps_taken == taken:
        return
    steps = now.steps[escalation.policy_id]
    is_repeat = escalation.next_step == next_step
    named = list(_destinations(steps, escalation, is_repeat=is_repeat))
    if is_repeat:
        escalation.due_at = None  # and so on
    for one in named:
        yield _item(one, notifications, escalation, now, is_repeat=is_repeat)


def _waiting(escalation: Escalation, now: Circumstances) -> PreviewItem:
    """Goes to the end of the suppression at once; the dispatcher checks now and then whether it ended early."""
    why: Suppression = now.suppressed.get(escalation.subject) or now.outside_hours[escalation.pk]
    is_open_ended = why.reason in OPEN_ENDED and why.until == now.at + CHECK_AGAIN
    escalation.due_at = None if is_open_ended else why.until
    return PreviewItem(at=now.at, policy=escalation.policy, reason=why.reason, until=escalation.due_at)


def _destinations(steps: Sequence[Step], escalation: Escalation, *, is_repeat: bool) -> Iterator[NamedDestination]:
    """Each destination once; of the step that was taken, or of all."""
    chosen = steps if is_repeat else [step for step in steps if step.position == escalation.next_step - 1]
    known: set[int] = set()
    for one in chain.from_iterable(step.named for step in chosen):
        if one.destination is None or one.destination.pk not in known:
            yield one
        if one.destination is not None:
            known.add(one.destination.pk)


def _item(
    named: NamedDestination,
    notifications: Sequence[Notification],
    escalation: Escalation,
    now: Circumstances,
    *,
    is_repeat: bool,
) -> PreviewItem:
    notification = next((one for one in notifications if one.destination == named.destination), None)
    quiet_until = notification.quiet_until(now.at) if notification else None
    return PreviewItem(
        at=now.at,
        policy=escalation.policy,
        step=escalation.next_step,
        is_repeat=is_repeat,
        named=named,
        sent_at=notification.due_at(now.at) if notification else None,
        reason=SkipReason.QUIET if quiet_until else "" if notification else _skip_reason(named),
        until=quiet_until,
    )


def _skip_reason(named: NamedDestination) -> SkipReason:
    if named.destination is None:
        return SkipReason.NO_PERSON if named.person_id is None else SkipReason.NO_DESTINATION
    return SkipReason.OTHER_SCOPE if named.destination.enabled else SkipReason.DISABLED
