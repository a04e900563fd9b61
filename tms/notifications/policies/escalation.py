"""Escalation steps, and the destinations that each of them reaches at one moment."""

from collections.abc import Collection
from datetime import datetime
from itertools import chain

from django.db.models import Prefetch

from tms.notifications.models.policy import Step
from tms.notifications.models.rotation import Rotation
from tms.notifications.rotations.on_call import destinations_on_call


def steps_of(policy_ids: Collection[int], *, at: datetime) -> dict[int, list[Step]]:
    """Steps by policy, in order, each with the destinations that it reaches now."""
    rows = Step.objects.filter(policy__in=policy_ids).order_by("policy", "position")
    steps = list(rows.prefetch_related("destinations", Prefetch("rotations", Rotation.objects.not_deleted())))
    on_call = destinations_on_call({rotation for step in steps for rotation in step.rotations.all()}, at=at)
    by_policy: dict[int, list[Step]] = {}
    for step in steps:
        own = chain.from_iterable(on_call.get(rotation.pk, ()) for rotation in step.rotations.all())
        # A person may be named and on call at the same time.
        step.reached = [one for one in dict.fromkeys(chain(step.destinations.all(), own)) if one.enabled]
        by_policy.setdefault(step.policy_id, []).append(step)
    return by_policy
