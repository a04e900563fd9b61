"""What escalations do next: which policies apply, which step is due, and whom it notifies.

The outbox saves what is decided here; the preview of a policy shows it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import NamedTuple

from tms.alerts.models import Alert
from tms.alerts.suppression.reasons import Reason, Suppression
from tms.notifications.models.delivery import NotificationKind
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Escalation, Policy, Step
from tms.notifications.policies.notification import Notification
from tms.notifications.policies.schedule import outside_hours
from tms.notifications.policies.steps import steps_of
from tms.notifications.push.audience import Audience
from tms.notifications.subjects import (
    Concern,
    Subject,
    column,
    concerns,
    suppressed_subjects,
    unacknowledged_subjects,
)


class Circumstances(NamedTuple):
    """What decides about escalations that are due."""

    at: datetime
    unacknowledged: Collection[Subject]
    suppressed: Mapping[Subject, Suppression]
    outside_hours: Mapping[int, Suppression]
    """Suppressions by primary key of the escalation."""
    steps: Mapping[int, Sequence[Step]]
    """Steps by primary key of the policy."""
    concerned: Mapping[Subject, Concern]
    """Concerns of the subjects, if a destination is for a part of the fleet or a browser; otherwise it may be empty."""
    audience: Audience
    """What the people of browsers chose, and see."""


def circumstances_of(due: Sequence[Escalation], *, at: datetime) -> Circumstances:
    """The circumstances of these escalations, read from the database."""
    unacknowledged = unacknowledged_subjects([escalation.subject for escalation in due])
    steps = steps_of({escalation.policy_id for escalation in due}, at=at)
    reached = reached_by(steps)
    audience = Audience(reached, at=at)
    return Circumstances(
        at,
        unacknowledged,
        suppressed_subjects(unacknowledged, at=at),
        outside_hours(due, at=at),
        steps,
        _concerned_owners(due, reached, audience),
        audience,
    )


def reached_by(steps: Mapping[int, Sequence[Step]]) -> list[Destination]:
    return list(chain.from_iterable(step.reached for of_policy in steps.values() for step in of_policy))


def start_escalations(
    subject: Subject,
    concern: Concern,
    policies: Iterable[Policy],
    *,
    kind: NotificationKind,
    happened_at: datetime,
    at: datetime,
) -> Iterator[Escalation]:
    """An escalation for each policy that applies; not saved."""
    for policy in policies:
        if policy.concerns(concern) and _is_of_owner(kind, subject, concern, policy):
            yield Escalation(
                **column(subject),
                policy=policy,
                kind=kind,
                happened_at=happened_at,
                due_at=at + timedelta(seconds=policy.delay_s),
            )


def advance(escalation: Escalation, now: Circumstances) -> list[Notification]:
    """Take the next step, which is due, unless its subject is suppressed or acknowledged. Nothing is saved."""
    if escalation.subject not in now.unacknowledged or not escalation.policy.enabled:
        escalation.due_at = None
        return []
    why = now.suppressed.get(escalation.subject) or now.outside_hours.get(escalation.pk)
    if why is not None:
        escalation.due_at, escalation.suppression = why.check_again_at(now.at), why.reason
        return []
    return _take_step(escalation, now.steps.get(escalation.policy_id, ()), now)


def _is_of_owner(kind: NotificationKind, subject: Subject, concern: Concern, policy: Policy) -> bool:
    """Whether it happened in the owner's part: that an incident worsened elsewhere did not."""
    return kind is not NotificationKind.WORSENED or concern.within(policy.owner).severity == subject.severity


def _concerned_owners(
    due: Collection[Escalation], reached: Collection[Destination], audience: Audience
) -> Mapping[Subject, Concern]:
    """What the subjects concern; read only if a destination is for a part of the fleet, or a browser."""
    if audience.is_empty and all(destination.owner.is_everything for destination in reached):
        return {}
    return concerns([escalation.subject for escalation in due])


def _take_step(escalation: Escalation, steps: Sequence[Step], now: Circumstances) -> list[Notification]:
    at, policy = now.at, escalation.policy
    step = next((step for step in steps if step.position >= escalation.next_step), None)
    was_suppressed = escalation.suppression not in ("", Reason.CORRELATING)
    escalation.suppression = ""
    if step is None:
        return _repeat(escalation, steps, now)
    is_prompt = not was_suppressed and step.position == 0 and not policy.delay_s
    notifications = _notifications(
        escalation, step.reached, step.position, now, happened_at=escalation.happened_at if is_prompt else None
    )
    escalation.next_step, escalation.steps_taken = step.position + 1, escalation.steps_taken + 1
    after = next((later.after_s for later in steps if later.position > step.position), policy.repeat_s or None)
    is_last = step is steps[-1]
    # Nobody is notified now: the next step does not wait.
    if after is not None and not is_last and all(one.quiet_until(at) for one in notifications):
        after = 0
    escalation.due_at = None if after is None else at + timedelta(seconds=after)
    return notifications


def _repeat(escalation: Escalation, steps: Sequence[Step], now: Circumstances) -> list[Notification]:
    """Notify everybody again after the last step, if the policy repeats."""
    repeat_s = escalation.policy.repeat_s
    escalation.due_at = now.at + timedelta(seconds=repeat_s) if repeat_s and steps else None
    if escalation.due_at is None:
        return []
    everybody = list(dict.fromkeys(chain.from_iterable(step.reached for step in steps)))
    notifications = _notifications(escalation, everybody, escalation.next_step, now, happened_at=None)
    escalation.steps_taken += 1
    return notifications


def _notifications(
    escalation: Escalation,
    reached: Iterable[Destination],
    step: int,
    now: Circumstances,
    *,
    happened_at: datetime | None,
) -> list[Notification]:
    """Notifications for the destinations that are for the subject."""
    concern = now.concerned.get(escalation.subject)
    return [
        Notification(
            escalation.subject,
            escalation.policy,
            destination,
            _kind_now(escalation, concern and concern.within(now.audience.scope(destination))),
            f"escalation-{escalation.pk}-{escalation.steps_taken}",
            happened_at,
            step=step,
        )
        for destination in reached
        if now.audience.includes(destination, concern, as_chosen=escalation.policy.is_personal)
    ]


def _kind_now(escalation: Escalation, part: Concern | None) -> NotificationKind:
    """An alert that was flapping then may be stable by now; an incident may have worsened only outside of `part`."""
    kind, subject = NotificationKind(escalation.kind), escalation.subject
    is_stable = kind is NotificationKind.FLAPPING and isinstance(subject, Alert) and not subject.is_flapping
    is_elsewhere = kind is NotificationKind.WORSENED and part is not None and part.severity != subject.severity
    return NotificationKind.OPENED if is_stable or is_elsewhere else kind
