"""The escalations of an incident, for its page."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.translation import gettext

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.escalation_plans import EscalationPlan, PlannedStep
from tms.notifications.models.delivery import Delivery
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Escalation, Policy, Step
from tms.notifications.models.rotation import Rotation
from tms.notifications.policies.steps import SKIPPED, SkipReason, steps_of

NAMED = (Destination, Rotation)
"""What steps name."""


class Shown(NamedTuple):
    """Keys of those that a scope shows."""

    destinations: set[int]
    rotations: set[int]


type Taken = Mapping[tuple[int | None, int], list[Delivery]]
"""Deliveries by policy and step."""


def plans_of(incident_id: int, scope: Scope, at: datetime) -> Iterator[EscalationPlan]:
    policies = within(Policy.objects.not_deleted(), scope)
    escalations = list(Escalation.objects.filter(incident=incident_id, policy__in=policies).select_related("policy"))
    if not escalations:
        return
    shown = Shown(*(set(within(model.objects.all(), scope).values_list("pk", flat=True)) for model in NAMED))
    steps, taken = steps_of([one.policy_id for one in escalations], at=at), _deliveries_by_step(incident_id)
    for escalation in escalations:
        rows = tuple(_steps(escalation, steps.get(escalation.policy_id, []), taken, shown))
        yield EscalationPlan(escalation.policy.name, escalation.policy.get_absolute_url(), rows)


def _deliveries_by_step(incident_id: int) -> Taken:
    found: dict[tuple[int | None, int], list[Delivery]] = {}
    for row in Delivery.objects.filter(items__incident=incident_id).select_related("destination").order_by("pk"):
        found.setdefault((row.policy_id, row.step), []).append(row)
    return found


def _misses(step: Step, shown: Shown) -> Iterator[tuple[str, str]]:
    """Names of destinations and rotations, and why the step does not reach them now."""
    for named in step.named:
        if named.destination is not None:
            if named.destination.pk in shown.destinations and not named.destination.enabled:
                yield named.destination.name, gettext(SKIPPED[SkipReason.DISABLED])
        elif named.rotation is not None and named.rotation.pk in shown.rotations:
            reason = SkipReason.NO_PERSON if named.person_id is None else SkipReason.NO_DESTINATION
            yield named.rotation.name, gettext(SKIPPED[reason])


def _steps(escalation: Escalation, steps: list[Step], taken: Taken, shown: Shown) -> Iterator[PlannedStep]:
    due_at = escalation.due_at
    for step in steps:
        sent = taken.get((escalation.policy_id, step.position), [])
        if step.position < escalation.next_step:
            names = tuple(row.destination.name for row in sent if row.destination_id in shown.destinations)
            yield PlannedStep(names, sent[0].created_at if sent else None, is_taken=True, is_next=False)
            continue
        is_next = step.position == min(one.position for one in steps if one.position >= escalation.next_step)
        if not is_next and due_at is not None:
            due_at += timedelta(seconds=step.after_s)
        names = tuple(destination.name for destination in step.reached if destination.pk in shown.destinations)
        missed = tuple(_misses(step, shown))
        yield PlannedStep(names, due_at, is_taken=False, is_next=is_next, missed=missed)
    if escalation.policy.repeat_s and steps and due_at is not None:
        is_next = escalation.next_step > steps[-1].position
        every = timedelta(seconds=0 if is_next else escalation.policy.repeat_s)
        reached = dict.fromkeys(one for step in steps for one in step.reached)
        names = tuple(destination.name for destination in reached if destination.pk in shown.destinations)
        yield PlannedStep(names, due_at + every, is_taken=False, is_next=is_next)
