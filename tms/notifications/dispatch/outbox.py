"""The outbox: transitions start escalations, and escalations become deliveries.

Each stage is one transaction that also removes its source from the queue (`dispatched_at`, `due_at`), so that nothing
is decided twice or left out if a process dies. Deliveries wait in the database until a worker sends them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any

from django.db import connection, models

from tms.alerts.models import Alert, AlertState, IncidentTransitionKind, TransitionKind
from tms.alerts.suppression.reasons import Reason
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate
from tms.notifications.dispatch.grouping import Notification, group
from tms.notifications.models.delivery import ALARMS, DeliveryItem, DeliveryState, NotificationKind
from tms.notifications.models.policy import Escalation, Policy, Step
from tms.notifications.policies.escalation import steps_of
from tms.notifications.policies.schedule import outside_hours
from tms.notifications.rotations.on_call import destinations_of
from tms.notifications.subjects import (
    ALERT,
    INCIDENT,
    SUBJECT_TYPES,
    Concern,
    Subject,
    SubjectEvent,
    SubjectType,
    column,
    concerns,
    suppressed_subjects,
    unacknowledged_subjects,
)

PASS_LIMIT = 2_000

failed_transitions = {subject_type: SetAside[int]("outbox") for subject_type in SUBJECT_TYPES}
failed_escalations = SetAside[int]("outbox")
STARTING = {
    "opened": NotificationKind.OPENED,
    "worsened": NotificationKind.WORSENED,
    "flapping": NotificationKind.FLAPPING,
}
"""Transitions that start an escalation at its first step."""
RESUMING = {kind.value for kind in (*TransitionKind, *IncidentTransitionKind) if kind.traits.is_reopening} | {"joined"}
"""Transitions that end a responsibility: the escalation resumes where it stopped."""
FOLLOW_UPS = {
    "acknowledged": NotificationKind.ACKNOWLEDGED,
    "resolved": NotificationKind.RESOLVED,
    "dissolved": NotificationKind.RESOLVED,
    "merged": NotificationKind.RESOLVED,
    "calm": NotificationKind.STABLE,
}
"""Transitions of which previously notified destinations are notified."""
PERSONAL = {"assigned": NotificationKind.ASSIGNED, "reminded": NotificationKind.REMINDER}
"""Transitions of which one person is notified, at their own destinations."""
WANTS_FOLLOW_UP: Mapping[str, Callable[[Policy], bool]] = {
    NotificationKind.RESOLVED: lambda policy: policy.notify_resolved,
    NotificationKind.ACKNOWLEDGED: lambda policy: policy.notify_acknowledged,
    NotificationKind.STABLE: lambda policy: True,
}


def process_transitions(at: datetime) -> int:
    """Dispatch the pending transitions of alerts and incidents."""
    return sum(_process_all(subject_type, at) for subject_type in SUBJECT_TYPES)


def _pending(subject_type: SubjectType) -> models.QuerySet[Any]:
    """Transitions that were not dispatched (index: transition_untold, incidenttransition_untold)."""
    return subject_type.history.objects.filter(dispatched_at=None)


def _process_all(subject_type: SubjectType, at: datetime) -> int:
    failed = failed_transitions[subject_type]
    new = _pending(subject_type).exclude(pk__in=failed.keys(at)).order_by("pk")
    pks = list(new.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_process, subject_type, at=at), aside=failed, at=at)


def _process(subject_type: SubjectType, pks: Collection[int], *, at: datetime) -> int:
    """Call it in a transaction."""
    rows = lock(subject_type.history.objects.filter(pk__in=pks, dispatched_at=None).order_by("pk"))
    events = [subject_type.event(row) for row in rows.select_related(*subject_type.related)]
    for kinds, dispatch in (
        (STARTING, _start_escalations),
        (RESUMING, _resume_escalations),
        (FOLLOW_UPS, _notify_changes),
        (PERSONAL, _notify_assignees),
    ):
        if chosen := [event for event in events if event.kind in kinds]:
            dispatch(subject_type, chosen, at)
    subject_type.history.objects.filter(pk__in=[event.pk for event in events]).update(dispatched_at=at)
    return len(events)


def _due(at: datetime) -> models.QuerySet[Escalation]:
    """Index: telling_due."""
    return Escalation.objects.filter(due_at__lte=at)


def escalate(at: datetime) -> int:
    """Take the next step of each escalation that is due, unless its subject is suppressed or acknowledged."""
    due = _due(at).exclude(pk__in=failed_escalations.keys(at)).order_by("due_at", "pk")
    pks = list(due.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_escalate, at=at), aside=failed_escalations, at=at)


@skip_when_empty(lambda at: _pending(ALERT), lambda at: _pending(INCIDENT), _due)
def advance(at: datetime) -> int:
    """Create the deliveries that are due. Returns how many transitions and escalations were processed."""
    return process_transitions(at) + escalate(at)


def _escalate(pks: Collection[int], at: datetime) -> int:
    """Call it in a transaction."""
    rows = lock(_due(at).filter(pk__in=pks).order_by("due_at", "pk"))
    due = list(rows.select_related(*ALERT.related, *INCIDENT.related, "policy"))
    unacknowledged = unacknowledged_subjects([escalation.subject for escalation in due])
    suppressed = suppressed_subjects(unacknowledged, at=at)
    outside = outside_hours(due, at=at)
    steps = steps_of({escalation.policy_id for escalation in due}, at=at)
    concerned = _concerned_owners(due, steps)
    notifications: list[Notification] = []
    for escalation in due:
        if escalation.subject not in unacknowledged or not escalation.policy.enabled:
            escalation.due_at = None
        elif (why := suppressed.get(escalation.subject) or outside.get(escalation.pk)) is not None:
            escalation.due_at, escalation.suppression = why.check_again_at(at), why.reason
        else:
            concern = concerned.get(escalation.subject)
            notifications += _take_step(escalation, steps.get(escalation.policy_id, []), concern, at)
    Escalation.objects.bulk_update(due, ["due_at", "suppression", "next_step", "steps_taken"])
    group(notifications, at=at)
    return len(due)


def lock[M: models.Model](rows: models.QuerySet[M]) -> models.QuerySet[M]:
    """Without the rows that another outbox has locked."""
    if connection.vendor != "postgresql":
        return rows
    return rows.select_for_update(skip_locked=True, of=("self",))


def _start_escalations(subject_type: SubjectType, events: Sequence[SubjectEvent], at: datetime) -> None:
    """Start at the first step of each policy that applies; an escalation that had started before starts again."""
    policies = list(Policy.objects.enabled())
    concerned = concerns([event.subject for event in events]) if policies else {}
    escalations = {
        (event.subject.pk, policy.pk): Escalation(
            **column(event.subject),
            policy=policy,
            kind=STARTING[event.kind],
            happened_at=event.at,
            due_at=at + timedelta(seconds=policy.delay_s),
        )
        for event in events
        for policy in policies
        if policy.concerns(concerned[event.subject]) and _reached(event, concerned[event.subject], policy)
    }
    Escalation.objects.bulk_create(
        escalations.values(),
        update_conflicts=True,
        unique_fields=[subject_type.column, "policy"],
        update_fields=["kind", "happened_at", "due_at", "next_step"],
    )


def _reached(event: SubjectEvent, concern: Concern, policy: Policy) -> bool:
    """Whether the event is one of the owner's part: that an incident worsened elsewhere is not."""
    is_worse = event.kind == NotificationKind.WORSENED
    return not is_worse or concern.within(policy.owner).severity == event.subject.severity


def _resume_escalations(subject_type: SubjectType, events: Sequence[SubjectEvent], at: datetime) -> None:
    """Make the next step due. An escalation without further steps has nothing more to do."""
    about = models.Q(**{f"{subject_type.column}__in": {event.subject.pk for event in events}})
    incidents = {event.subject.incident_id for event in events if isinstance(event.subject, Alert)} - {None}
    Escalation.objects.filter(about | models.Q(incident__in=incidents), due_at=None).update(due_at=at)


def _notify_changes(subject_type: SubjectType, events: Sequence[SubjectEvent], at: datetime) -> None:
    """Notify exactly the destinations that were notified before. A delivery that was never tried is withdrawn later
    instead.

    A subject that is resolved when its flapping stops is notified as resolved.
    """
    events = [event for event in events if event.kind != "calm" or event.subject.state != AlertState.RESOLVED]
    subjects = {event.subject.pk for event in events}
    items = (
        DeliveryItem.objects.filter(**{f"{subject_type.column}__in": subjects}, delivery__kind__in=ALARMS)
        .exclude(delivery__state__in=(DeliveryState.DEAD, DeliveryState.WITHDRAWN))
        .exclude(delivery__state=DeliveryState.WAITING, delivery__attempts=0)
        .select_related("delivery__destination", "delivery__policy")
        .order_by("pk")
    )
    by_subject: dict[int, list[DeliveryItem]] = {}
    for item in items:
        by_subject.setdefault(getattr(item, f"{subject_type.column}_id"), []).append(item)
    group(chain.from_iterable(_follow_ups(event, by_subject.get(event.subject.pk, [])) for event in events), at=at)


def _notify_assignees(subject_type: SubjectType, events: Sequence[SubjectEvent], at: datetime) -> None:
    """Notify the assignee or the person reminded, unless they did it themselves."""
    to_others = [
        event
        for event in events
        if event.to_id not in (None, event.by_id) and event.subject.state != AlertState.RESOLVED
    ]
    own = destinations_of({event.to_id for event in to_others if event.to_id is not None})
    group(
        (
            Notification(
                event.subject, None, destination, PERSONAL[event.kind], f"{event.kind}-{_source(event)}", event.at
            )
            for event in to_others
            for destination in own.get(event.to_id or 0, ())
        ),
        at=at,
    )


def _follow_ups(event: SubjectEvent, before: Collection[DeliveryItem]) -> list[Notification]:
    """One per destination, for any policy that had notified it."""
    kind = FOLLOW_UPS[event.kind]
    wanted = {
        item.delivery.destination_id: item.delivery
        for item in before
        if item.delivery.policy is not None and WANTS_FOLLOW_UP[kind](item.delivery.policy)
    }
    return [
        Notification(event.subject, delivery.policy, delivery.destination, kind, f"{kind}-{_source(event)}", event.at)
        for delivery in wanted.values()
        if delivery.policy is not None and delivery.destination.enabled
    ]


def _source(event: SubjectEvent) -> str:
    """Part of a key; transitions of incidents and of alerts have separate numbers."""
    return str(event.pk) if isinstance(event.subject, Alert) else f"incident-{event.pk}"


def _concerned_owners(due: Collection[Escalation], steps: Mapping[int, Sequence[Step]]) -> Mapping[Subject, Concern]:
    """What the subjects concern; read only if a destination is for a part of the fleet."""
    reached = chain.from_iterable(step.reached for of_policy in steps.values() for step in of_policy)
    if all(destination.owner.is_everything for destination in reached):
        return {}
    return concerns([escalation.subject for escalation in due])


def _take_step(
    escalation: Escalation, steps: Sequence[Step], concern: Concern | None, at: datetime
) -> list[Notification]:
    step = next((step for step in steps if step.position >= escalation.next_step), None)
    was_suppressed = escalation.suppression not in ("", Reason.CORRELATING)
    escalation.suppression = ""
    if step is None:
        escalation.due_at = None
        return []
    is_prompt = not was_suppressed and step.position == 0 and not escalation.policy.delay_s
    happened_at = escalation.happened_at if is_prompt else None
    notifications = [
        Notification(
            escalation.subject,
            escalation.policy,
            destination,
            _kind_now(escalation, concern and concern.within(destination.owner)),
            f"telling-{escalation.pk}-{escalation.steps_taken}",  # keys of former releases begin like this
            happened_at,
            step=step.position,
        )
        for destination in step.reached
        if concern is None or concern.touches(destination.owner)
    ]
    escalation.next_step, escalation.steps_taken = step.position + 1, escalation.steps_taken + 1
    after = next((later.after_s for later in steps if later.position > step.position), None)
    if after is not None and all(one.quiet_until(at) for one in notifications):  # nobody is notified now: do not wait
        after = 0
    escalation.due_at = None if after is None else at + timedelta(seconds=after)
    return notifications


def _kind_now(escalation: Escalation, part: Concern | None) -> NotificationKind:
    """An alert that was flapping then may be stable by now; an incident may have worsened only outside of `part`."""
    kind, subject = NotificationKind(escalation.kind), escalation.subject
    is_stable = kind is NotificationKind.FLAPPING and isinstance(subject, Alert) and not subject.is_flapping
    is_elsewhere = kind is NotificationKind.WORSENED and part is not None and part.severity != subject.severity
    return NotificationKind.OPENED if is_stable or is_elsewhere else kind
