"""Advances rollouts: follows items, starts waves when they may, asks the guards, orders, and ends what is over.

A pass works on one rollout in one transaction, with its row locked. An item becomes ordered in the transaction that
creates its command, and only if it was waiting: whenever a process dies, either both are stored or neither.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from tms.accounts.access import permitted
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.maintenance import coverage as maintenance
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import Presence, Site, Terminal
from tms.jobs.guards import Chooser, JobLimits, SendCandidate, SendDecision
from tms.jobs.models import JobHours
from tms.jobs.runner import CHECK_AGAIN, Turns, situation_at
from tms.lib.db.jobs import skip_when_empty
from tms.lib.per_process import per_process
from tms.lib.set_aside import SetAside, isolate
from tms.rollouts import control, mobile_limit, starting, stop_rule
from tms.rollouts.events import publish_items
from tms.rollouts.following import awaited, follow_items
from tms.rollouts.models import (
    OPEN_ROLLOUTS,
    PostponedThen,
    Rollout,
    RolloutItem,
    RolloutItemState,
    RolloutState,
    WaveState,
)
from tms.rollouts.models.item import WORKING
from tms.rollouts.orders import Changes
from tms.rollouts.waves import steps

PASS_S = 0.5
IDLE = timedelta(seconds=3)
"""How long a rollout is left alone in which nothing is installed and nothing changed: a pass of it has 20 queries."""
CANDIDATES = 150
"""Waiting items that a pass looks at. More would keep the other loops of the lane waiting."""
WAITING = (RolloutItemState.WAITING, RolloutItemState.POSTPONED)

not_advanced = SetAside[int]("rollouts")


@per_process
def turns() -> Turns:
    return Turns()


class IdleRollouts:
    """Rollouts in which nothing happens, and until when each is left alone."""

    def __init__(self) -> None:
        self._until: dict[int, datetime] = {}

    def keys(self, at: datetime) -> list[int]:
        self._until = {pk: until for pk, until in self._until.items() if until > at}
        return list(self._until)

    def add(self, pk: int, at: datetime) -> None:
        self._until[pk] = at + IDLE


@per_process
def idle_rollouts() -> IdleRollouts:
    return IdleRollouts()


@skip_when_empty(
    lambda at: Rollout.objects.open(),
    lambda at: RolloutItem.objects.filter(state__in=WORKING),
    awaited,
)
def run(at: datetime) -> int:
    """A pass of the clock. Returns how many items changed."""
    return advance(at, idle=idle_rollouts())


def advance(at: datetime, *, idle: IdleRollouts | None = None) -> int:
    """Advance all rollouts but those of `idle`, and add those in which nothing happens."""
    skipped = idle.keys(at) if idle else []
    working = set(RolloutItem.objects.filter(state__in=WORKING).order_by().values_list("rollout", flat=True).distinct())
    late = awaited(at).order_by().values("rollout").distinct()
    going = Rollout.objects.filter(Q(state__in=OPEN_ROLLOUTS) | Q(pk__in=working) | Q(pk__in=late))
    going = going.exclude(pk__in=[*not_advanced.keys(at), *skipped]).order_by("pk")
    pks = turns().take(list(going.values_list("pk", flat=True)))
    changed = 0
    for pk in pks:
        number = isolate([pk], lambda one: _advance(one[0], at), aside=not_advanced, at=at)
        if idle and not number and pk not in working:
            idle.add(pk, at)
        changed += number
    return changed


def busy_terminals(sites: Collection[int]) -> set[int]:
    """Terminals that a rollout is changing, so that no job takes another lane (`tms.jobs.runner.busy_sources`)."""
    changing = [state for state in WORKING if state != RolloutItemState.SETTLING]
    items = RolloutItem.objects.filter(state__in=changing, terminal__site__in=sites)
    return set(items.values_list("terminal", flat=True))


def _advance(pk: int, at: datetime) -> int:
    """Call it in a transaction."""
    # `of`: the rollout only. Who pauses or cancels it waits for this, and this for them.
    locked = Rollout.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
    rollout = locked.filter(pk=pk).select_related("version").first()
    if rollout is None:
        return 0
    changes = Changes(rollout)
    changed = follow_items(rollout, changes, at)
    if rollout.state in OPEN_ROLLOUTS and rollout.until <= at:
        control.end(rollout, RolloutState.EXPIRED, at=at)
        return changed
    if changed and stop_rule.judge(rollout, at):
        return changed
    if rollout.state in (RolloutState.PLANNED, RolloutState.RUNNING, RolloutState.HELD):
        changed += _go_on(rollout, changes, at)
    return changed


def _go_on(rollout: Rollout, changes: Changes, at: datetime) -> int:
    starter = starting.starter_of(rollout)
    if starter is None:
        if not control.stop(rollout, at=at, reason="permission"):
            control.end(rollout, RolloutState.CANCELLED, at=at, reason="permission")
        return 0
    if rollout.artifacts.exclude(withdrawn_at=None).exists():
        control.pause(rollout, by=None, at=at, reason="withdrawn")
        return 0
    if rollout.state == RolloutState.PLANNED:
        if not starting.may_start(rollout, at):
            return 0
        starting.start(rollout, by=starter, at=at)
    if rollout.state not in (RolloutState.RUNNING, RolloutState.HELD):
        return 0
    steps.advance(rollout, at)
    changed = _order_next(rollout, changes, starter, at)
    steps.end_if_over(rollout, at)
    return changed


def _order_next(rollout: Rollout, changes: Changes, starter: User, at: datetime) -> int:
    working = RolloutItem.objects.filter(rollout=rollout, state__in=WORKING)
    limits = JobLimits(rollout.at_once, rollout.per_site, Counter(working.values_list("terminal__site", flat=True)))
    if not limits.room:
        return 0
    items = _candidates(rollout, limits, at)
    if not items:
        return 0
    items = _without_current(items, changes, at)
    items = _without_leavers(items, changes, at)
    candidates = _asked(items, rollout, changes, starter, at)
    sites = {one.site for one in candidates}
    # Two runs at once would each leave the other's lane.
    list(Site.objects.filter(pk__in=sites).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    situation = situation_at(sites, JobHours(rollout.hours), is_dangerous=True, at=at)
    decision = Chooser(JobHours(rollout.hours), True, limits, situation).choose(candidates)
    _store(rollout, decision, at)
    chosen = {one.item for one in decision.send}
    return _order(rollout, changes, [item for item in items if item.pk in chosen], starter, at)


def _candidates(rollout: Rollout, limits: JobLimits, at: datetime) -> list[RolloutItem]:
    """The next waiting items of waves that have started, in their order, without sites that have no room and terminals
    that another rollout changes.
    """
    full = [site for site in limits.in_flight if not limits.has_room_at(site, 0)]
    # Two changes of a terminal at a time could not be told apart, even while the first one settles.
    changing = RolloutItem.objects.filter(state__in=WORKING).exclude(rollout=rollout).values("terminal")
    waiting = _waiting(rollout).filter(not_before__lte=at).exclude(terminal__site__in=full)
    waiting = waiting.exclude(terminal__in=changing)
    waiting = waiting.select_related("terminal__state").order_by("not_before", "pk")
    found: list[RolloutItem] = []
    # One query each: together they could not be read in the order of the index.
    for wave in rollout.waves.exclude(state=WaveState.WAITING).order_by("number"):
        found += waiting.filter(wave=wave)[: CANDIDATES - len(found)]
    return found


def _without_leavers(items: Sequence[RolloutItem], changes: Changes, at: datetime) -> list[RolloutItem]:
    """Terminals that were moved or replaced, or cannot install it, leave with a reason."""
    unfit = changes.unfit(items)
    leaving: dict[int, str] = {}
    for item in items:
        if why := left_because(item) or unfit.get(item.terminal_id, ""):
            leaving[item.pk] = why
    for why in set(leaving.values()):
        pks = [pk for pk, reason in leaving.items() if reason == why]
        _end_waiting(pks, RolloutItemState.SKIPPED, why, at)
    return [item for item in items if item.pk not in leaving]


def left_because(item: RolloutItem) -> str:
    """Why the terminal is not the one that was drawn; empty if it is."""
    if item.site_id and item.site_id != item.terminal.site_id:
        return "moved"
    if item.serial and item.terminal.serial and item.serial != item.terminal.serial:
        return "replaced"
    return ""


def _without_current(items: Sequence[RolloutItem], changes: Changes, at: datetime) -> list[RolloutItem]:
    """Terminals that run the wanted artifact already are done, or go on to the next one."""
    if changes.version is not None:
        return list(items)
    wanted = changes.wanted_of(items)
    current = [item for item in items if item.pk in wanted and wanted[item.pk].installed == wanted[item.pk].version]
    last = [item.pk for item in current if changes.is_last_step(item)]
    _end_waiting(last, RolloutItemState.DONE, "current", at)
    others = RolloutItem.objects.filter(pk__in=[item.pk for item in current if item.pk not in last], state__in=WAITING)
    others.update(step=F("step") + 1, not_before=at)
    skipped = {item.pk for item in current}
    return [item for item in items if item.pk not in skipped]


def _asked(
    items: Sequence[RolloutItem], rollout: Rollout, changes: Changes, starter: User, at: datetime
) -> list[SendCandidate]:
    """What the guards want to know of each item."""
    terminals = [item.terminal for item in items]
    able = changes.able(terminals)
    rows = Terminal.objects.filter(pk__in=[terminal.pk for terminal in terminals])
    may = set(permitted(rows, by=starter, permission=Permission.RUN_ROLLOUTS).values_list("pk", flat=True))
    site_of = {terminal.pk: terminal.site_id for terminal in terminals}
    covered = maintenance.coverage_of(site_of, among=maintenance.running(at))
    over_limit = mobile_limit.items_above(rollout, items, changes, at)
    return [
        SendCandidate(
            item.pk,
            terminal.pk,
            terminal.site_id,
            terminal.kind,
            Lifecycle(terminal.lifecycle),
            is_online=terminal.state.presence == Presence.ONLINE,
            in_maintenance=terminal.pk in covered,
            is_offered=able[terminal.pk],
            is_permitted=terminal.pk in may,
            hours=JobHours.CLOSED if _waits_for_closing(item, rollout) else None,
            is_over_mobile_limit=item.pk in over_limit,
        )
        for item, terminal in zip(items, terminals, strict=True)
    ]


def _waits_for_closing(item: RolloutItem, rollout: Rollout) -> bool:
    return item.postponed > rollout.postpone_limit and rollout.postponed_then == PostponedThen.CLOSING


def _store(rollout: Rollout, decision: SendDecision, at: datetime) -> None:
    """Say why items wait or are skipped."""
    for hold in set(decision.hold.values()):
        held = [item for item, why in decision.hold.items() if why is hold]
        _waiting(rollout).filter(pk__in=held).update(reason=hold.value, not_before=at + CHECK_AGAIN[hold])
    for skip in set(decision.skip.values()):
        _end_waiting([item for item, why in decision.skip.items() if why is skip], RolloutItemState.SKIPPED, skip, at)


def _order(rollout: Rollout, changes: Changes, chosen: Sequence[RolloutItem], by: User, at: datetime) -> int:
    if not chosen:
        return 0
    pks = [item.pk for item in chosen]
    locked = set(_waiting(rollout).filter(pk__in=pks).select_for_update(of=("self",)).values_list("pk", flat=True))
    if len(locked) != len(pks):  # another process ordered some: neither its items nor these may be stored twice
        raise RuntimeError(f"rollout {rollout.pk}: {len(pks) - len(locked)} items were ordered by another process")
    before = changes.before_of(chosen)
    commands = changes.order(chosen, by=by, at=at)
    current: list[int] = []
    for item in chosen:
        command = commands.get(item.terminal_id)
        if command is None:
            current.append(item.pk)  # its configuration is the same in this version
            continue
        was = before[item.pk]
        RolloutItem.objects.filter(pk=item.pk, state__in=WAITING).update(
            state=RolloutItemState.ORDERED,
            state_at=at,
            reason="",
            error="",
            attempts=F("attempts") + 1,
            command=command,
            ordered_at=at,
            back_by=None,
            boot_id=item.terminal.state.boot_id,
            version_before=item.version_before or was.label,
            former={**item.former, was.name: was.running},
        )
    _end_waiting(current, RolloutItemState.DONE, "current", at)
    publish_items([item.terminal_id for item in chosen])
    return len(chosen)


def _end_waiting(pks: Collection[int], state: str, reason: str, at: datetime) -> None:
    waiting = RolloutItem.objects.filter(pk__in=pks, state__in=WAITING)
    updated = {"updated_at": at} if state == RolloutItemState.DONE else {}
    waiting.update(state=state, state_at=at, reason=reason, ended_at=at, **updated)


def _waiting(rollout: Rollout) -> QuerySet[RolloutItem]:
    return RolloutItem.objects.filter(rollout=rollout, state__in=WAITING)
