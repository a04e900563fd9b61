"""Rolls a rollout back: its updated terminals get the version again that they had before, by a rollout of its own."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q

from tms.accounts.access import permitted
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.artifacts.models import Artifact
from tms.commands.models import CommandState
from tms.configuration import versions
from tms.configuration.models import ConfigurationVersion
from tms.fleet.models import Terminal
from tms.jobs.models import JobHours
from tms.lib.db.rows import keys_of
from tms.rollouts import control, planning
from tms.rollouts.events import record_event
from tms.rollouts.models import (
    ApprovalRule,
    LateTerminals,
    Rollout,
    RolloutEventKind,
    RolloutItem,
    RolloutItemState,
    RolloutKind,
    RolloutState,
    WaveKind,
)
from tms.rollouts.models.item import WORKING
from tms.rollouts.values import FailureRule, RolloutRefused, RolloutValues, WaveValues

LASTS = timedelta(days=7)
MAY_BE_UPDATED = (*WORKING, RolloutItemState.DONE, RolloutItemState.NEW_VERSION, RolloutItemState.NOT_BACK)
"""Also what is being installed, or is not back: it gets the former version once it runs the new one."""


class RollBack(NamedTuple):
    """What rolling back would do."""

    terminals: Sequence[int]
    plans: Mapping[int, Sequence[int]]
    """The artifacts that each terminal gets, by its primary key; empty for a configuration."""
    versions: Mapping[str, int]
    """How many get each former version."""
    lacking: Mapping[str, int]
    """How many cannot be rolled back, by the version of which no usable artifact exists."""


def roll_back_of(rollout: Rollout, *, by: User) -> RollBack:
    """The terminals as far as the person may run rollouts."""
    items = permitted(RolloutItem.objects.filter(rollout=rollout), by=by, permission=Permission.RUN_ROLLOUTS)
    items = items.filter(Q(state__in=MAY_BE_UPDATED) | ~Q(updated_at=None)).exclude(version_before="")
    # What was not sent is withdrawn.
    items = items.exclude(state=RolloutItemState.ORDERED, command__state=CommandState.QUEUED)
    rows = list(items.order_by("terminal").values_list("terminal", "version_before", "former"))
    if rollout.kind == RolloutKind.CONFIGURATION:
        return RollBack([pk for pk, *_ in rows], {}, dict(Counter(before for _, before, _ in rows)), {})
    plans, lacking = _plans(rollout, {pk: former for pk, _, former in rows})
    before = {pk: version for pk, version, _ in rows}
    return RollBack(sorted(plans), plans, dict(Counter(before[pk] for pk in plans)), lacking)


@transaction.atomic
def roll_back(rollout: Rollout, *, by: User, at: datetime, comment: str = "") -> Rollout:
    """Plan the rollout that gives the former version back, and end this one. Idempotent: returns the one that exists.

    Raises RolloutRefused if nothing can be rolled back, RolloutOver, Forbidden and NotAgreed.
    """
    control.demand_control(by, rollout)
    rollout = Rollout.objects.select_for_update(no_key=True, of=("self",)).get(pk=rollout.pk)
    if existing := rollout.rollbacks.order_by("-pk").first():
        return existing
    if rollout.state in (RolloutState.DRAFT, RolloutState.PLANNED):
        raise control.RolloutOver(f"rollout {rollout.pk} has not started; cancel it instead")
    found = roll_back_of(rollout, by=by)
    if not found.terminals:
        lacking = ", ".join(sorted(found.lacking))
        raise RolloutRefused("$", f"there is no usable artifact of: {lacking}" if lacking else "nothing was updated")
    made = planning.create(values_of(rollout, found, by=by, at=at), by=by, at=at, rolls_back=rollout)
    control.end(rollout, RolloutState.ROLLED_BACK, by=by, at=at, comment=comment)
    record_event(RolloutEventKind.ROLLING_BACK, rollout, by=by, at=at, comment=comment)
    return made


def values_of(rollout: Rollout, found: RollBack, *, by: User, at: datetime) -> RolloutValues:
    """One wave, at any hour, with the guards of the rollout. Call it in a transaction: it may make a version."""
    version: ConfigurationVersion | None = None
    artifacts: tuple[Artifact, ...] = ()
    if rollout.kind == RolloutKind.CONFIGURATION:
        assert rollout.version is not None
        version = versions.undo(rollout.version, by=by, at=at, reason=rollout.name)
    else:
        pks = {pk for plan in found.plans.values() for pk in plan}
        artifacts = tuple(Artifact.objects.filter(pk__in=pks).order_by("pk"))
    return RolloutValues(
        name=rollout.name,
        until=at + LASTS,
        artifacts=artifacts,
        version=version,
        terminals=tuple(Terminal.objects.filter(pk__in=keys_of(found.terminals))),
        waves=(WaveValues(WaveKind.REST, watch_hours=0),),
        late=LateTerminals.LEFT_OUT,
        hours=JobHours.ANY,
        at_once=rollout.at_once,
        per_site=rollout.per_site,
        approval=ApprovalRule.NONE,
        install_within_s=rollout.install_within_s,
        settle_s=rollout.settle_s,
        measures=(),
        failures=FailureRule(rollout.failed_pct, rollout.failed_after),
    )


def _plans(rollout: Rollout, former: Mapping[int, Mapping[str, str]]) -> tuple[dict[int, list[int]], dict[str, int]]:
    """The former artifacts of each terminal, the last that was installed first; and versions without one."""
    steps = [step.artifact for step in rollout.steps.select_related("artifact").order_by("-position")]
    usable = {
        (one.name, one.version, one.format): one.pk
        for one in Artifact.objects.usable().filter(name__in={step.name for step in steps})
    }
    plans: dict[int, list[int]] = {}
    lacking: Counter[str] = Counter()
    for terminal, names in former.items():
        wanted = [(step.name, names[step.name], step.format) for step in steps if step.name in names]
        missing = [f"{name} {version}" for name, version, form in wanted if (name, version, form) not in usable]
        if missing:
            lacking.update(missing)
        elif wanted:
            plans[terminal] = [usable[key] for key in wanted]
    return plans, dict(lacking)
