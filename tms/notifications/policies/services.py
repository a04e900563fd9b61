"""Create and change policies. Pages and REST call the same service with the same values."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, visible
from tms.accounts.access.owner_form import OWNER
from tms.accounts.permissions import Permission
from tms.alerts.models import Rule
from tms.fleet.models import Group, Site
from tms.notifications import row_checks
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy, PolicyHours, Step
from tms.notifications.models.rotation import Rotation
from tms.notifications.row_checks import Fault
from tms.notifications.soft_delete import services as soft_delete
from tms.notifications.weekly_hours import HOURS_FIELDS, faults_in_hours

EDITED = (
    *("name", "enabled", "severities", "language", "delay_s", "group_wait_s", "group_by_site", "notify_resolved"),
    *("notify_acknowledged", "rollouts", "when", "repeat_s", *HOURS_FIELDS),
)
"""The columns that people choose, besides the owner."""
MAX_STEPS = 4
NO_RECIPIENT = _("Choose at least one destination or rotation. Otherwise nobody is notified.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRows:
    """The rows to which a policy is restricted; none chosen does not restrict."""

    sites: Collection[Site] = ()
    groups: Collection[Group] = ()
    rules: Collection[Rule] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepValues:
    """An escalation step. Those that notify nobody are left out."""

    after_s: int = 0
    """Delay after the previous step; ignored for the first."""
    destinations: Collection[Destination] = ()
    rotations: Collection[Rotation] = ()

    @property
    def notifies(self) -> bool:
        return bool(self.destinations or self.rotations)


def save(policy: Policy, rows: PolicyRows, steps: Sequence[StepValues] | None, *, by: Person) -> None:
    """Store the columns that `policy` has now, its rows and its steps. None: the steps stay as they are.

    What `by` does not see stays chosen. Raises ValidationError, by the name of the field, and Http404 for a policy that
    was deleted meanwhile.
    """
    check(policy, steps, by=by)
    with soft_delete.change(policy):
        # The dispatcher and colleagues write to other columns meanwhile.
        policy.save(update_fields=(*EDITED, *OWNER) if policy.pk else None)
        stored = Policy.objects.get(pk=policy.pk)
        stored.sites.set([*rows.sites, *_unseen(stored.sites, Site.objects.all(), by)])
        stored.groups.set([*rows.groups, *_unseen(stored.groups, Group.objects.all(), by)])
        stored.rules.set([*rows.rules, *_unseen(stored.rules, Rule.objects.all(), by)])
        if steps is not None:
            _replace_steps(stored, steps, by)


def check(policy: Policy, steps: Sequence[StepValues] | None, *, by: Person) -> None:
    """Raises ValidationError with all that is wrong, by the name of the field."""
    row_checks.check(policy, EDITED, _faults(policy, steps), Permission.EDIT_POLICIES, by=by)


def _faults(policy: Policy, steps: Sequence[StepValues] | None) -> Iterator[Fault]:
    yield from faults_in_hours(policy, are_needed=policy.when in (PolicyHours.WITHIN, PolicyHours.OUTSIDE))
    yield from row_checks.faults_in_zone(policy, "hours_zone")
    if steps is not None and not any(step.notifies for step in steps):
        yield "steps", NO_RECIPIENT


def _replace_steps(policy: Policy, steps: Sequence[StepValues], by: Person) -> None:
    """Each also gets what the stored step at its position has and `by` does not see."""
    stored = list(policy.steps.order_by("position"))[: len(steps)]
    usable = Destination.objects.not_deleted(), Rotation.objects.not_deleted()
    reached = [
        (
            step.after_s,
            [*step.destinations, *(_unseen(before.destinations, usable[0], by) if before else ())],
            [*step.rotations, *(_unseen(before.rotations, usable[1], by) if before else ())],
        )
        for step, before in zip_longest(steps, stored)
    ]
    policy.steps.all().delete()
    filled = [each for each in reached if each[1] or each[2]]
    for position, (after_s, destinations, rotations) in enumerate(filled):
        step = Step.objects.create(policy=policy, position=position, after_s=after_s if position else 0)
        step.destinations.set(destinations)
        step.rotations.set(rotations)


def _unseen(chosen: Any, offered: QuerySet[Any], by: Person) -> list[Any]:
    """The rows among `chosen` that were not offered to the person, and so cannot have been removed by them."""
    return list(chosen.exclude(pk__in=visible(offered, to=by).values("pk")))
