"""Starts rollouts: freezes their terminals, and draws the waves."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import Max, QuerySet

from tms.accounts.access import may, may_watch
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.approvals.clearance import GROWTH, has_outgrown
from tms.fleet.groups.uses import unknown_groups
from tms.fleet.lifecycle import states
from tms.fleet.models import Terminal
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate
from tms.query.errors import QueryError
from tms.rollouts import control, planning
from tms.rollouts.events import record_event
from tms.rollouts.models import (
    ApprovalRule,
    LateTerminals,
    Rollout,
    RolloutEventKind,
    RolloutItem,
    RolloutState,
    Wave,
    WaveKind,
    WaveState,
)
from tms.rollouts.models.rollout import RolloutQuerySet
from tms.rollouts.rolling_back import roll_back_of
from tms.rollouts.waves import approval
from tms.rollouts.waves.drawing import WaveDraw, WaveTarget, draw

MAX_ITEMS = 100_000
WITHOUT_WORK = states(lambda treatment: not treatment.takes_work)

not_added = SetAside[int]("rollout_late")


def _taking_late(at: datetime) -> RolloutQuerySet:
    running = Rollout.objects.filter(state__in=(RolloutState.RUNNING, RolloutState.HELD)).exclude(query="")
    return running.exclude(late=LateTerminals.LEFT_OUT)


def starter_of(rollout: Rollout) -> User | None:
    """The person on whose behalf it orders; None if they may not any more. Read again each time."""
    person = User.objects.filter(pk=rollout.started_by_id).first() if rollout.started_by_id else None
    if person is None or not (may_watch(person) and may(person, Permission.RUN_ROLLOUTS)):
        return None
    return person


def may_start(rollout: Rollout, at: datetime) -> bool:
    if rollout.state != RolloutState.PLANNED or rollout.starts_at > at:
        return False
    if rollout.approval != ApprovalRule.FIRST:
        return True
    first = rollout.waves.first()
    if first is not None and first.approved_at is None:
        approval.ask_approval(first, by=rollout.started_by, at=at)
    return first is None or first.approved_at is not None


def start(rollout: Rollout, *, by: User, at: datetime) -> None:
    """Call it in a transaction, with the rollout locked. One whose terminals cannot be read is cancelled."""
    try:
        rows = list(_rows(rollout, by=by, at=at))
    except QueryError:
        # A field of the query is no more: an attribute was deleted.
        control.end(rollout, RolloutState.CANCELLED, at=at, reason="query")
        return
    if why := _why_not(rollout, len(rows)):
        control.end(rollout, RolloutState.CANCELLED, at=at, reason=why)
        return
    waves = _draw(rollout, rows)
    plans = roll_back_of(rollout.rolls_back, by=by).plans if rollout.rolls_back else {}
    _freeze(rollout, rows, waves, plans, at)
    Rollout.objects.filter(pk=rollout.pk, state=RolloutState.PLANNED).update(
        state=RolloutState.RUNNING, state_at=at, started_at=at
    )
    rollout.refresh_from_db()
    record_event(RolloutEventKind.STARTED, rollout, by=by, at=at)


@skip_when_empty(_taking_late)
def add_all_late(at: datetime) -> int:
    """A pass of the clock: terminals that match the queries of running rollouts by now. Returns how many."""
    pks = list(_taking_late(at).exclude(pk__in=not_added.keys(at)).values_list("pk", flat=True))
    return sum(isolate([pk], lambda one: _add_late(one[0], at), aside=not_added, at=at) for pk in pks)


def _add_late(pk: int, at: datetime) -> int:
    """Call it in a transaction."""
    rollout = _taking_late(at).select_for_update(of=("self",), no_key=True).filter(pk=pk).first()
    starter = starter_of(rollout) if rollout else None
    try:
        return add_late(rollout, by=starter, at=at) if rollout and starter else 0
    except QueryError:
        return 0  # its field was deleted meanwhile; the terminals that it has stay


def add_late(rollout: Rollout, *, by: User, at: datetime) -> int:
    """Terminals that match the query by now join the last wave that is not over, or get one of their own."""
    items = RolloutItem.objects.filter(rollout=rollout)
    room = int(rollout.first_number * GROWTH) + 1 - items.count()
    rows = list(_rows(rollout, by=by, at=at).exclude(pk__in=items.values("terminal"))[: max(room, 0)])
    wave = _wave_for_late(rollout) if rows else None
    if wave is None:
        return 0
    if wave.approved_at is not None:
        approval.ask_again(wave)
    RolloutItem.objects.bulk_create((_item(rollout, wave, row, at) for row in rows), ignore_conflicts=True)
    return len(rows)


def _rows(rollout: Rollout, *, by: User, at: datetime) -> QuerySet[Terminal]:
    members = planning.members_of(rollout, by=by, at=at).exclude(lifecycle__in=WITHOUT_WORK)
    return members.order_by("pk").distinct().only("pk", "site", "model", "serial")


def _why_not(rollout: Rollout, number: int) -> str:
    if unknown_groups(rollout.query):
        return "group"
    if number > MAX_ITEMS:
        return "too_many"
    if has_outgrown(number, rollout.first_number):
        return "grown"
    return ""


def _draw(rollout: Rollout, rows: Sequence[Terminal]) -> dict[int, Wave]:
    """The wave of each terminal. Waves that got none are deleted."""
    waves = list(rollout.waves.order_by("number"))
    targets = [WaveTarget(row.pk, row.site_id, row.model) for row in rows]
    drawn = draw(targets, [WaveDraw(WaveKind(wave.kind), wave.size) for wave in waves], seed=rollout.seed)
    kept = [(wave, terminals) for wave, terminals in zip(waves, drawn, strict=True) if terminals]
    Wave.objects.filter(pk__in={wave.pk for wave in waves} - {wave.pk for wave, _ in kept}).delete()
    for number, (wave, _) in enumerate(kept, start=1):
        if wave.number != number:
            Wave.objects.filter(pk=wave.pk).update(number=number)
    return {terminal: wave for wave, terminals in kept for terminal in terminals}


def _freeze(
    rollout: Rollout,
    rows: Sequence[Terminal],
    waves: Mapping[int, Wave],
    plans: Mapping[int, Sequence[int]],
    at: datetime,
) -> None:
    items = (_item(rollout, waves[row.pk], row, at, plans.get(row.pk, ())) for row in rows)
    RolloutItem.objects.bulk_create(items, batch_size=5_000)


def _item(rollout: Rollout, wave: Wave, row: Terminal, at: datetime, plan: Sequence[int] = ()) -> RolloutItem:
    return RolloutItem(
        rollout=rollout,
        wave=wave,
        terminal_id=row.pk,
        site_id=row.site_id,
        serial=row.serial,
        plan=list(plan),
        not_before=at,
        state_at=at,
    )


def _wave_for_late(rollout: Rollout) -> Wave | None:
    waves = list(rollout.waves.order_by("number"))
    if rollout.late == LateTerminals.OWN_WAVE:
        own = next((wave for wave in waves if wave.kind == WaveKind.LATE), None)
        if own is None:
            last = rollout.waves.aggregate(last=Max("number"))["last"] or 0
            own = Wave.objects.create(rollout=rollout, number=last + 1, kind=WaveKind.LATE)
        return own if own.state != WaveState.PASSED and _takes_late(own) else None
    is_open = (WaveState.WAITING, WaveState.INSTALLING)
    open_waves = [wave for wave in waves if wave.state in is_open and _takes_late(wave)]
    ordinary = [wave for wave in open_waves if wave.kind != WaveKind.HELD_BACK]
    return (ordinary or open_waves)[-1] if open_waves else None


def _takes_late(wave: Wave) -> bool:
    """A wave that was approved and has started takes nobody whom nobody approved."""
    return wave.approved_at is None or wave.state == WaveState.WAITING
