"""Applies to items what follows from what their terminals said and run (`tms.rollouts.outcomes`)."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet

from tms.commands import services as commands
from tms.commands.kinds import UPDATE
from tms.commands.models import CommandState
from tms.fleet.models import Cause, Presence
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
from tms.rollouts.outcomes import TMS_AWAY, ItemFacts, ItemPhase, Next, Said, follow, said_by

FOLLOWED = 1_000
CONTRADICTED_WITHIN = timedelta(hours=24)
"""How long a terminal that failed, did not restart or is not back may still show up with the new version."""
OFFLINE_AGAIN = timedelta(seconds=15)
AWAITED = (RolloutItemState.NOT_BACK, RolloutItemState.OLD_VERSION)
CONTRADICTABLE = (RolloutItemState.FAILED, *AWAITED)
RESTARTS = (Cause.UPDATE, Cause.REBOOT)
UNTRIED = tuple(state for state in WORKING if state != RolloutItemState.SETTLING)
"""States before a boot has shown that the new version reaches TMS."""
MAY_HAVE_UNDONE = timedelta(minutes=1)
"""How long TMS has to be away before a terminal undoes what is on trial. Agents wait for five minutes and ten."""


def follow_items(rollout: Rollout, changes: Changes, at: datetime) -> int:
    """Returns how many changed. Call it in a transaction, with the rollout locked."""
    items = RolloutItem.objects.filter(rollout=rollout).select_related("terminal__state", "command").order_by("pk")
    recent = contradicted(items.filter(state__in=CONTRADICTABLE), at)
    # Two queries, because each has another index.
    found = [*items.filter(state__in=WORKING)[:FOLLOWED], *recent[:FOLLOWED]]
    if lost := [item.command_id for item in found if item.command_id and _is_lost(item)]:
        commands.requeue(lost, at=at)
    wanted = changes.wanted_of(found) if found else {}
    changed = [item for item in found if item.pk in wanted and _follow(item, rollout, changes, wanted[item.pk], at)]
    publish_items([item.terminal_id for item in changed])
    return len(changed)


def awaited(at: datetime) -> QuerySet[RolloutItem]:
    """Items that are followed although their rollout may be over (index: rolloutitem_awaited)."""
    return contradicted(RolloutItem.objects.filter(state__in=AWAITED), at)


def contradicted(ended: QuerySet[RolloutItem], at: datetime) -> QuerySet[RolloutItem]:
    """The ended items whose terminal may run the new version by now: it is awaited, or has booted since."""
    may_be = Q(state=RolloutItemState.NOT_BACK) | ~Q(terminal__state__boot_id=F("boot_id"))
    return ended.filter(may_be, ended_at__gt=at - CONTRADICTED_WITHIN)


def defer(until: datetime, *, away: timedelta) -> None:
    """TMS itself was away: no terminal is late for its return before `until`, and one that has undone what it could not
    try out gets it again. Call it in a transaction.
    """
    if away >= MAY_HAVE_UNDONE:
        RolloutItem.objects.filter(state__in=UNTRIED).update(reason=TMS_AWAY)
    absent = RolloutItem.objects.filter(state__in=(RolloutItemState.RESTARTING, RolloutItemState.SETTLING))
    absent.filter(Q(back_by=None) | Q(back_by__lt=until)).update(back_by=until)


def _is_lost(item: RolloutItem) -> bool:
    """Whether its update was sent over a link that has ended since, and the terminal has said nothing of it."""
    command, state = item.command, item.terminal.state
    if command is None or command.name != UPDATE or command.state != CommandState.SENT or command.progress_text:
        return False
    return state.presence == Presence.ONLINE and 0 < (command.session or 0) < state.session


def _follow(item: RolloutItem, rollout: Rollout, changes: Changes, wanted: Wanted, at: datetime) -> bool:
    facts = facts_of(item, rollout, wanted)
    found = _of_configuration(facts, wanted) or follow(facts, at)
    return found is not None and _apply(item, rollout, changes, found, at)


def _of_configuration(facts: ItemFacts, wanted: Wanted) -> Next | None:
    """A configuration of which keys were refused is not applied, whatever its revision says."""
    if wanted.is_superseded:
        return Next(RolloutItemState.SKIPPED, "superseded")
    if wanted.refused and facts.state in WORKING:
        return Next(RolloutItemState.FAILED, "refused", wanted.refused)
    return None


def said_of(item: RolloutItem) -> Said:
    return said_by(item.command) if item.command is not None else Said(ItemPhase.SILENT, "no_answer")


def facts_of(item: RolloutItem, rollout: Rollout, wanted: Wanted) -> ItemFacts:
    state = item.terminal.state
    is_restarting = state.presence == Presence.REBOOTING and state.cause in RESTARTS
    return ItemFacts(
        RolloutItemState(item.state),
        said_of(item),
        wanted.version,
        item.former.get(wanted.name, ""),
        wanted.installed,
        has_booted=bool(item.boot_id) and state.boot_id != item.boot_id,
        is_online=state.presence == Presence.ONLINE,
        back_at=state.back_at if is_restarting else None,
        back_by=item.back_by,
        updated_at=item.updated_at,
        settle_s=rollout.settle_s,
        was_tms_away=item.reason == TMS_AWAY,
    )


def _apply(item: RolloutItem, rollout: Rollout, changes: Changes, found: Next, at: datetime) -> bool:
    values: dict[str, Any] = {
        "state": found.state,
        "state_at": at,
        "reason": found.reason or (TMS_AWAY if item.reason == TMS_AWAY and found.state in UNTRIED else ""),
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
