"""Escalation steps, the destinations that each of them names and reaches at one moment, and why it misses some."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from django.db.models import Prefetch
from django.utils.translation import gettext_noop

from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import NamedDestination, Step
from tms.notifications.models.rotation import Rotation
from tms.notifications.rotations.on_call import OnCall, on_call


class SkipReason(StrEnum):
    QUIET = "quiet_hours"
    DISABLED = "disabled"
    NO_PERSON = "no_person_on_call"
    NO_DESTINATION = "no_destination"
    OTHER_SCOPE = "other_scope"


SKIPPED: Mapping[SkipReason, str] = {
    SkipReason.QUIET: gettext_noop("not notified now: quiet hours. If it is still unacknowledged at their end, then"),
    SkipReason.DISABLED: gettext_noop("not notified: the destination is disabled"),
    SkipReason.NO_PERSON: gettext_noop("nobody is on call"),
    SkipReason.NO_DESTINATION: gettext_noop("the person on call has no destination"),
    SkipReason.OTHER_SCOPE: gettext_noop("not notified: the destination has another owner"),
}
"""The reasons in words, after the name of the destination or rotation."""


def steps_of(policy_ids: Collection[int], *, at: datetime) -> dict[int, list[Step]]:
    """Steps by policy, in order, each with the destinations that it names and reaches now."""
    rows = Step.objects.filter(policy__in=policy_ids).order_by("policy", "position")
    named = Prefetch("destinations", Destination.objects.not_deleted())
    rows = rows.select_related("policy")
    steps = list(rows.prefetch_related(named, Prefetch("rotations", Rotation.objects.not_deleted())))
    people = on_call({rotation for step in steps for rotation in step.rotations.all()}, at=at)
    by_policy: dict[int, list[Step]] = {}
    for step in steps:
        step.named = list(_named_destinations(step, people))
        # A person may be named and on call at the same time.
        enabled = (one.destination for one in step.named if one.destination is not None and one.destination.enabled)
        step.reached = list(dict.fromkeys(enabled))
        by_policy.setdefault(step.policy_id, []).append(step)
    return by_policy


def _named_destinations(step: Step, people: Mapping[int, OnCall]) -> Iterator[NamedDestination]:
    """Destinations, then those of people on call; a rotation that reaches none is named without."""
    for destination in step.destinations.all():
        yield NamedDestination(destination)
    if step.policy.is_personal:
        yield from map(NamedDestination, Destination.objects.browsers().order_by("pk"))
    for rotation in step.rotations.all():
        found = people[rotation.pk]
        reached: list[Destination | None] = [*found.destinations] or [None]
        for one in reached:
            yield NamedDestination(one, rotation, found.shift.person, found.shift.until)
