"""Applies to items what follows from what their terminals said and run (`tms.rollouts.outcomes`)."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from tms.fleet.models import Cause, Presence, Terminal
from tms.rollouts import control
from tms.rollouts.events import publish_items
from tms.rollouts.models import (
    OPEN_ROLLOUTS,
    PostponedThen,
    Rollout,
    RolloutItem,
    RolloutItemState,
    RolloutKind,
    RolloutState,
)
from tms.rollouts.models.item import WORKING
from tms.rollouts.orders import Changes, Wanted
from tms.rollouts.outcomes import ItemFacts, Next, Phase, Said, follow, said_by

FOLLOWED = 1_000
CONTRADICTED_WITHIN = timedelta(hours=24)
"""How long a terminal that failed, or is not back, may still show up with the new version."""
OFFLINE_AGAIN = timedelta(seconds=15)
CONTRADICTABLE = (RolloutItemState.FAILED, RolloutItemState.NOT_BACK)
FETCHABLE = (RolloutItemState.ORDERED, RolloutItemState.DOWNLOADING, RolloutItemState.INSTALLING)
RESTARTS = (Cause.UPDATE, Cause.REBOOT)


def follow_items(rollout: Rollout, changes: Changes, at: datetime) -> int:
    """Returns how many changed. Call it in a transaction, with the rollout locked."""
    recent = Q(state__in=CONTRADICTABLE, ended_at__gt=at - CONTRADICTED_WITHIN)
    items = RolloutItem.objects.filter(Q(state__in=WORKING) | recent, rollout=rollout)
    found = list(items.select_related("terminal__state", "command").order_by("pk")[:FOLLOWED])
    wanted = changes.wanted_of(found) if found else {}
    changed = [item for item in found if item.pk in wanted and _follow(item, rollout, changes, wanted[item.pk], at)]
    publish_items([item.terminal_id for item in changed])
    return len(changed)


def order_for(terminal: Terminal) -> RolloutItem | None:
    """The item of a terminal whose updater polls that has to be done now; `Changes` has its artifact."""
    items = RolloutItem.objects.filter(terminal=terminal, command=None, state__in=FETCHABLE)
    going = items.filter(rollout__state__in=(*OPEN_ROLLOUTS, RolloutState.STOPPED))
    return going.select_related("rollout__version", "terminal__state").order_by("-ordered_at", "-pk").first()


@transaction.atomic
def note_feedback(item: RolloutItem, said: Said, *, at: datetime) -> bool:
    """What an updater that polls says of its order. False if that changes nothing."""
    rollout = Rollout.objects.select_for_update(no_key=True, of=("self",)).get(pk=item.rollout_id)
    rows = RolloutItem.objects.select_related("terminal__state", "command")
    found = rows.filter(pk=item.pk, command=None, state__in=(*WORKING, *CONTRADICTABLE)).first()
    if found is None:
        return False
    changes = Changes(rollout)
    wanted = changes.wanted_of([found]).get(found.pk)
    is_changed = wanted is not None and _follow(found, rollout, changes, wanted, at, said)
    if is_changed:
        publish_items([found.terminal_id])
    return is_changed


def _follow(
    item: RolloutItem, rollout: Rollout, changes: Changes, wanted: Wanted, at: datetime, said: Said | None = None
) -> bool:
    facts = facts_of(item, rollout, wanted, said or said_of(item, rollout, at))
    found = _of_configuration(facts, wanted) or follow(facts, at)
    return found is not None and _apply(item, rollout, changes, found, at)


def _of_configuration(facts: ItemFacts, wanted: Wanted) -> Next | None:
    """A configuration of which keys were refused is not applied, whatever its revision says."""
    if wanted.is_superseded:
        return Next(RolloutItemState.SKIPPED, "superseded")
    if wanted.refused and facts.state in WORKING:
        return Next(RolloutItemState.FAILED, "refused", wanted.refused)
    return None


def said_of(item: RolloutItem, rollout: Rollout, at: datetime) -> Said:
    """By its command; for an updater that polls, by the state in which its feedback left the item."""
    if item.command is not None:
        return said_by(item.command)
    if item.state not in FETCHABLE:
        return Said(Phase.SUCCEEDED)
    if item.ordered_at and item.ordered_at + timedelta(seconds=rollout.install_within_s) <= at:
        return Said(Phase.SILENT, "no_answer", "no answer in time")
    return Said(Phase(item.state))


def facts_of(item: RolloutItem, rollout: Rollout, wanted: Wanted, said: Said) -> ItemFacts:
    state = item.terminal.state
    is_restarting = state.presence == Presence.REBOOTING and state.cause in RESTARTS
    return ItemFacts(
        RolloutItemState(item.state),
        said,
        wanted.version,
        item.former.get(wanted.name, ""),
        wanted.installed,
        has_booted=bool(item.boot_id) and state.boot_id != item.boot_id,
        is_online=state.presence == Presence.ONLINE,
        back_at=state.back_at if is_restarting else None,
        back_by=item.back_by,
        updated_at=item.updated_at,
        settle_s=rollout.settle_s,
    )


def _apply(item: RolloutItem, rollout: Rollout, changes: Changes, found: Next, at: datetime) -> bool:
    values: dict[str, Any] = {
        "state": found.state,
        "state_at": at,
        "reason": found.reason,
        "error": found.error,
        "back_by": found.back_by,
        "updated_at": found.updated_at,
    }
    match found.state:
        case RolloutItemState.WAITING:
            values |= {"not_before": at + OFFLINE_AGAIN, "attempts": F("attempts") - 1}
        case RolloutItemState.POSTPONED:
            values |= _postponed(item, rollout, at)
        case RolloutItemState.RESTARTING:
            values["boot_id"] = item.terminal.state.boot_id
        case RolloutItemState.DONE if not changes.is_last_step(item):
            values |= {
                "state": RolloutItemState.WAITING, "step": item.step + 1, "not_before": at, "updated_at": None,
                "command": None,
            }  # fmt: skip
    if values["state"] in (RolloutItemState.WAITING, RolloutItemState.POSTPONED) and not _goes_on(rollout):
        values["state"] = RolloutItemState.CANCELLED
    values["ended_at"] = None if values["state"] in (*WORKING, *WAITING) else at
    if not RolloutItem.objects.filter(pk=item.pk, state=item.state).update(**values):
        return False
    if values["reason"] == "undone" and rollout.kind == RolloutKind.CONFIGURATION:
        control.stop(rollout, at=at, reason="undone")
        rollout.refresh_from_db(fields=("state",))
    return True


def _postponed(item: RolloutItem, rollout: Rollout, at: datetime) -> dict[str, Any]:
    """It is in use. After as many times as are allowed it waits for closing time, fails or is left out."""
    values: dict[str, Any] = {
        "postponed": item.postponed + 1,
        "attempts": F("attempts") - 1,
        "not_before": at + timedelta(seconds=rollout.postpone_s),
    }
    if item.postponed >= rollout.postpone_limit:
        if rollout.postponed_then == PostponedThen.LEAVE:
            values["state"] = RolloutItemState.SKIPPED
        elif rollout.postponed_then == PostponedThen.UPDATE and item.postponed > rollout.postpone_limit:
            values["state"] = RolloutItemState.FAILED
    return values


def _goes_on(rollout: Rollout) -> bool:
    return rollout.state in (*OPEN_ROLLOUTS, RolloutState.STOPPED)


WAITING: Collection[str] = (RolloutItemState.WAITING, RolloutItemState.POSTPONED)
