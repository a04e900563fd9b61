"""The outbox: transitions start escalations, and escalations become deliveries.

Each stage is one transaction that also removes its source from the queue (`dispatched_at`, `due_at`), so that nothing
is decided twice or left out if a process dies. Deliveries wait in the database until a worker sends them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import chain

from django.db import connection, models

from tms.accounts.access import rights_of_people
from tms.accounts.models import User
from tms.alerts.models import Alert, AlertState, Incident, IncidentTransitionKind, TransitionKind
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate
from tms.notifications.dispatch.grouping import group
from tms.notifications.models.delivery import ALARMS, DeliveryItem, DeliveryState, NotificationKind
from tms.notifications.models.policy import Escalation, Policy
from tms.notifications.policies.escalation import advance as advance_escalation
from tms.notifications.policies.escalation import circumstances_of, start_escalations
from tms.notifications.policies.notification import Notification
from tms.notifications.rotations.on_call import destinations_of
from tms.notifications.subjects import (
    ALERT,
    INCIDENT,
    SUBJECT_TYPES,
    SubjectEvent,
    SubjectType,
    concerns,
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
KIND_OF_CHANGE = {
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


def _pending(subject_type: SubjectType) -> models.QuerySet[models.Model]:
    """Transitions that were not dispatched (index: transition_undispatched, incident_undispatched)."""
    return subject_type.history.objects.filter(dispatched_at=None)


def _process_all(subject_type: SubjectType, at: datetime) -> int:
    failed = failed_transitions[subject_type]
    new = _pending(subject_type).exclude(pk__in=failed.keys(at)).order_by("pk")
    pks = list(new.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_process, subject_type, at=at), aside=failed, at=at)


def _process(subject_type: SubjectType, pks: Collection[int], *, at: datetime) -> int:
    """Call it in a transaction."""
    # Conditional on `dispatched_at`: another outbox may have processed them since their keys were read.
    rows = lock(subject_type.history.objects.filter(pk__in=pks, dispatched_at=None).order_by("pk"))
    events = [subject_type.event(row) for row in rows.select_related(*subject_type.related)]
    for kinds, dispatch in (
        (STARTING, _start_escalations),
        (RESUMING, _resume_escalations),
        (KIND_OF_CHANGE, _notify_changes),
        (PERSONAL, _notify_assignees),
    ):
        if chosen := [event for event in events if event.kind in kinds]:
            dispatch(subject_type, chosen, at)
    subject_type.history.objects.filter(pk__in=[event.pk for event in events]).update(dispatched_at=at)
    return len(events)


def _due(at: datetime) -> models.QuerySet[Escalation]:
    """The escalations that are due (index: escalation_due)."""
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
    now = circumstances_of(due, at=at)
    notifications = list(chain.from_iterable(advance_escalation(escalation, now) for escalation in due))
    Escalation.objects.bulk_update(due, ["due_at", "suppression", "next_step", "steps_taken"])
    group(notifications, at=at)
    return len(due)


def lock[M: models.Model](rows: models.QuerySet[M]) -> models.QuerySet[M]:
    """Lock the rows, except those that another outbox has locked."""
    if connection.vendor != "postgresql":
        return rows
    return rows.select_for_update(skip_locked=True, of=("self",))


def _start_escalations(subject_type: SubjectType, events: Sequence[SubjectEvent], at: datetime) -> None:
    """Start at the first step of each policy that applies; an escalation that had started before starts again."""
    policies = list(Policy.objects.enabled())
    if not policies:
        return
    concerned = concerns([event.subject for event in events])
    # The last event of a subject decides.
    escalations = {
        (event.subject.pk, escalation.policy_id): escalation
        for event in events
        for escalation in start_escalations(
            event.subject,
            concerned[event.subject],
            policies,
            kind=STARTING[event.kind],
            happened_at=event.at,
            at=at,
        )
    }
    Escalation.objects.bulk_create(
        escalations.values(),
        update_conflicts=True,
        unique_fields=[subject_type.column, "policy"],
        update_fields=["kind", "happened_at", "due_at", "next_step"],
    )


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
    """Notify the assignee or the person reminded, unless they did it themselves.

    A person who is assigned an incident is not notified of each of its alerts, and nobody of what they do not see.
    """
    to_others = [
        event
        for event in events
        if event.to_id not in (None, event.by_id) and event.subject.state != AlertState.RESOLVED
    ]
    handed_over = _handed_over(to_others)
    to_others = [event for event in to_others if (_incident_of(event), event.to_id) not in handed_over]
    people = {event.to_id for event in to_others if event.to_id is not None}
    own, rights = destinations_of(people), rights_of_people(list(User.objects.filter(pk__in=people)))
    about = concerns([event.subject for event in to_others])
    group(
        (
            Notification(
                event.subject, None, destination, PERSONAL[event.kind], f"{event.kind}-{_source(event)}", event.at
            )
            for event in to_others
            for destination in own.get(event.to_id or 0, ())
            if about[event.subject].lies_within(rights[event.to_id].visible)
            and about[event.subject].lies_within(destination.owner)
        ),
        at=at,
    )


def _handed_over(events: Sequence[SubjectEvent]) -> set[tuple[int | None, int | None]]:
    """The unresolved incidents of alerts that were assigned, and who is responsible for them."""
    incidents = {pk for event in events if event.kind == "assigned" and (pk := _incident_of(event)) is not None}
    if not incidents:
        return set()
    return set(Incident.objects.unresolved().filter(pk__in=incidents).values_list("pk", "acknowledged_by"))


def _incident_of(event: SubjectEvent) -> int | None:
    return event.subject.incident_id if isinstance(event.subject, Alert) else None


def _follow_ups(event: SubjectEvent, before: Collection[DeliveryItem]) -> list[Notification]:
    """One per destination, for any policy that had notified it."""
    kind = KIND_OF_CHANGE[event.kind]
    wanted = {
        item.delivery.destination_id: item.delivery
        for item in before
        if item.delivery.policy is not None
        and (item.delivery.destination.follows_alerts or WANTS_FOLLOW_UP[kind](item.delivery.policy))
    }
    return [
        Notification(event.subject, delivery.policy, delivery.destination, kind, f"{kind}-{_source(event)}", event.at)
        for delivery in wanted.values()
        if delivery.policy is not None and delivery.destination.enabled
    ]


def _source(event: SubjectEvent) -> str:
    """Part of a key; transitions of incidents and of alerts have separate numbers."""
    return str(event.pk) if isinstance(event.subject, Alert) else f"incident-{event.pk}"
