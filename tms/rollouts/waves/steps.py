"""The way from wave to wave: when one is installed, how long it is watched, and when the next may start."""

from collections.abc import Collection
from datetime import datetime, timedelta

from tms.fleet.sites.calendar import hours_of
from tms.jobs.guards import Hold
from tms.lib.calendar.dates import DAY
from tms.lib.calendar.opening_hours import Hours
from tms.rollouts.events import record_event
from tms.rollouts.models import (
    OPEN_ITEMS,
    ApprovalRule,
    Rollout,
    RolloutEventKind,
    RolloutItem,
    RolloutItemState,
    RolloutState,
    Wave,
    WaveKind,
    WaveState,
)
from tms.rollouts.models.item import WORKING
from tms.rollouts.waves import approval

MAX_EXPOSURE = timedelta(days=7)
"""A site that does not open for a week keeps nobody waiting longer."""
MOSTLY = 0.5
"""A wave of which more are offline is not over: they may be many, and back soon."""


def advance(rollout: Rollout, at: datetime) -> None:
    """Call it in a transaction, with the rollout locked, while it runs or is held."""
    waves = list(rollout.waves.order_by("number"))
    for place, wave in enumerate(waves):
        coming = waves[place + 1] if place + 1 < len(waves) else None
        if wave.state == WaveState.WAITING and not _start(rollout, wave, at):
            return
        if wave.state == WaveState.INSTALLING and not _install(rollout, wave, coming, at):
            return
        if wave.state == WaveState.WATCHED and not _pass(rollout, wave, at):
            return


def end_if_over(rollout: Rollout, at: datetime) -> None:
    """Finish the rollout once all of its waves have passed, and nobody waits."""
    if rollout.waves.exclude(state=WaveState.PASSED).exists():
        return
    if RolloutItem.objects.filter(rollout=rollout, state__in=OPEN_ITEMS).exists():
        return
    going = Rollout.objects.filter(pk=rollout.pk, state__in=(RolloutState.RUNNING, RolloutState.HELD))
    if going.update(state=RolloutState.FINISHED, state_at=at, ended_at=at, reason=""):
        record_event(RolloutEventKind.ENDED, rollout, at=at)


def _start(rollout: Rollout, wave: Wave, at: datetime) -> bool:
    """Start it if it may; a held rollout starts no wave."""
    if rollout.state != RolloutState.RUNNING or (wave.not_before and wave.not_before > at):
        return False
    if not _is_approved(rollout, wave, at):
        return False
    _set(wave, WaveState.WAITING, WaveState.INSTALLING, started_at=at)
    record_event(RolloutEventKind.WAVE_STARTED, rollout, wave=wave, at=at)
    return True


def _is_approved(rollout: Rollout, wave: Wave, at: datetime) -> bool:
    if rollout.approval != ApprovalRule.EACH or wave.number == 1:
        return True
    if wave.approved_at is None:
        approval.ask_approval(wave, by=rollout.started_by, at=at)
    return wave.approved_at is not None


def _install(rollout: Rollout, wave: Wave, coming: Wave | None, at: datetime) -> bool:
    """Whether its terminals are over: what is offline may come later, unless it is most of them."""
    items = RolloutItem.objects.filter(rollout=rollout, wave=wave)
    waiting = items.filter(state__in=(RolloutItemState.WAITING, RolloutItemState.POSTPONED))
    if items.filter(state__in=WORKING).exists() or waiting.exclude(reason=Hold.OFFLINE).exists():
        return False
    if waiting.count() > MOSTLY * items.count():
        return False
    is_last = coming is None or wave.kind == WaveKind.HELD_BACK
    until = at if is_last else watched_until(wave, at)
    _set(wave, WaveState.INSTALLING, WaveState.WATCHED, installed_at=at, watched_until=until)
    if until > at:
        Rollout.objects.filter(pk=rollout.pk).update(enough_evidence=False)  # of this wave nothing is known yet
    if coming is not None and rollout.approval == ApprovalRule.EACH:
        approval.ask_approval(coming, by=rollout.started_by, at=at)
    return True


def _pass(rollout: Rollout, wave: Wave, at: datetime) -> bool:
    """Whether it has been watched long enough. Without enough evidence it is watched for as long again, and passes
    then: the rollout says that it was not enough.
    """
    if rollout.state != RolloutState.RUNNING or wave.watched_until is None or wave.exposure is None:
        return False
    if at < (wave.watched_until if rollout.enough_evidence else wave.watched_until + wave.exposure):
        return False
    _set(wave, WaveState.WATCHED, WaveState.PASSED, passed_at=at, evidence=rollout.evidence)
    record_event(RolloutEventKind.WAVE_PASSED, rollout, wave=wave, at=at)
    return True


def watched_until(wave: Wave, at: datetime) -> datetime:
    """When its exposure is over: after its hours, or when each of its sites was open for one of its days."""
    if wave.watch_hours is not None:
        return at + timedelta(hours=wave.watch_hours)
    items = RolloutItem.objects.filter(wave=wave).exclude(updated_at=None)
    sites = set(items.values_list("terminal__site", flat=True))
    return exposed_at(hours_of(sites).values(), at)


def exposed_at(sites: Collection[Hours], since: datetime) -> datetime:
    ends = (hours.lasted(since, opening_day(hours, since)) for hours in sites)
    return min(max(ends, default=since), since + MAX_EXPOSURE)


def opening_day(hours: Hours, since: datetime) -> timedelta:
    """How long the site is open when it opens next; a day if it never closes."""
    if hours.never_closes:
        return DAY
    coming = (run.until - run.since for run in hours.runs(since) if run.since >= since)
    return min(next(coming, DAY), DAY)


def _set(wave: Wave, before: WaveState, after: WaveState, **values: object) -> None:
    if not Wave.objects.filter(pk=wave.pk, state=before).update(state=after, **values):
        raise RuntimeError(f"wave {wave.pk} is not {before} any more")
    wave.state = after
    for name, value in values.items():
        setattr(wave, name, value)
