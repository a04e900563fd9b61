"""What people do with a rollout that exists: pause, resume, cancel, continue, retry, confirm."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from tms.accounts.access import Forbidden, covers, may, permitted, scope_of
from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.approvals import clearance
from tms.approvals.acts import Act
from tms.commands import services as commands
from tms.rollouts.events import publish_items, record_event
from tms.rollouts.hawkbit import actions
from tms.rollouts.models import (
    OPEN_ROLLOUTS,
    Rollout,
    RolloutEventKind,
    RolloutItem,
    RolloutItemState,
    RolloutState,
    WaveState,
)

E, S, ITEM = RolloutEventKind, RolloutState, RolloutItemState
RETRIED = (ITEM.FAILED, ITEM.OLD_VERSION, ITEM.NOT_BACK)
"""States from which an item may be tried again."""


class RolloutOver(Exception):
    """The rollout is in a state in which this is not possible; the message says in which."""

    code = "tms:rollout-over"


def may_control(person: User, rollout: Rollout) -> bool:
    """Whether the person may control it: their own, or where they may run all that its starter may."""
    held = scope_of(person, Permission.RUN_ROLLOUTS)
    if not held or held.is_everything or rollout.started_by_id == person.pk:
        return bool(held)
    theirs = scope_of(rollout.started_by, Permission.RUN_ROLLOUTS) if rollout.started_by else EVERYTHING
    return bool(theirs) and covers(held, theirs)


def demand_control(person: User, rollout: Rollout) -> None:
    """Raises Forbidden."""
    if not may_control(person, rollout):
        raise Forbidden(Permission.RUN_ROLLOUTS, is_elsewhere=may(person, Permission.RUN_ROLLOUTS))


@transaction.atomic
def pause(rollout: Rollout, *, by: User | None, at: datetime, reason: str = "") -> None:
    """Nothing new starts; what was sent goes on. Idempotent. Raises RolloutOver."""
    _move(rollout, (S.PLANNED, S.RUNNING, S.HELD), S.PAUSED, E.PAUSED, by=by, at=at, reason=reason)
    _withdraw_queued(rollout, at)


@transaction.atomic
def resume(rollout: Rollout, *, by: User, at: datetime) -> None:
    """Idempotent. Raises RolloutOver, also while one of its artifacts is withdrawn."""
    if rollout.artifacts.exclude(withdrawn_at=None).exists():
        raise RolloutOver("one of its artifacts was withdrawn; cancel the rollout, or roll it back")
    after = S.PLANNED if rollout.started_at is None else S.RUNNING
    _move(rollout, (S.PAUSED,), after, E.RESUMED, by=by, at=at)


@transaction.atomic
def cancel(rollout: Rollout, *, by: User | None, at: datetime, comment: str = "") -> bool:
    """End it where it is: nothing more starts, what runs may finish. Idempotent; False if it was over."""
    return end(rollout, S.CANCELLED, by=by, at=at, comment=comment)


@transaction.atomic
def stop(rollout: Rollout, *, at: datetime, reason: str) -> bool:
    """Let nothing new start until a person rolls it back or continues it. False if it was stopped or over."""
    rollout = locked(rollout)
    changed = Rollout.objects.filter(pk=rollout.pk, state__in=(S.RUNNING, S.HELD, S.PAUSED))
    if not changed.update(state=S.STOPPED, state_at=at, reason=reason):
        return False
    recorder.record("stopped", rollout, {"reason": (None, reason)})
    record_event(E.STOPPED, rollout, at=at, reason=reason)
    _withdraw_queued(rollout, at)
    return True


@transaction.atomic
def continue_stopped(
    rollout: Rollout, *, by: User, at: datetime, comment: str, leave_out: Collection[str] | None = None
) -> None:
    """Go on after a stop: watch the last wave again, with evidence that begins again; or without some measures, whose
    names are `leave_out`. Raises RolloutOver, and NotAgreed if no second person did.
    """
    if clearance.agreed_terminals(Act.CONTINUE) is None:
        raise clearance.NotAgreed
    rollout = locked(rollout)
    measures = [name for name in rollout.measures if name not in (leave_out or ())]
    changes: dict[str, Any] = {"state": S.RUNNING, "state_at": at, "reason": "", "measures": measures}
    if not leave_out:
        changes |= {"watched_from": at, "evidence": None}
    if not Rollout.objects.filter(pk=rollout.pk, state=S.STOPPED).update(**changes):
        raise RolloutOver(f"rollout {rollout.pk} is {rollout.state}; only a stopped one can be continued")
    if not leave_out:
        # As if it were installed now: its time begins again.
        watched = rollout.waves.filter(state=WaveState.WATCHED)
        watched.update(state=WaveState.INSTALLING, installed_at=None, watched_until=None)
    audited = {"left_out": (None, ", ".join(sorted(leave_out)))} if leave_out else {}
    recorder.record("continued", rollout, audited, comment=comment)
    record_event(E.CONTINUED, rollout, by=by, at=at, comment=comment)


@transaction.atomic
def retry(
    rollout: Rollout,
    *,
    by: User,
    at: datetime,
    reason: str = "",
    error: str = "",
    state: str = "",
    item: int | None = None,
) -> int:
    """Try failed items again: all of a reason, an error, a state, or one. Returns how many. Raises RolloutOver."""
    _demand_open(rollout)
    chosen = _items(rollout, by).filter(state__in=RETRIED)
    narrowed = {"reason": reason, "error": error, "state": state, "pk": item}
    chosen = chosen.filter(**{name: value for name, value in narrowed.items() if value})
    pks = list(chosen.select_for_update(of=("self",)).values_list("pk", "terminal"))
    again = {"state": ITEM.WAITING, "state_at": at, "reason": "", "error": "", "not_before": at}
    ended = {"ended_at": None, "updated_at": None, "command": None}
    changed = RolloutItem.objects.filter(pk__in=[pk for pk, _ in pks]).update(**again, **ended)
    if changed:
        _reopen(rollout, pks=[pk for pk, _ in pks])
        recorder.record("retried", rollout, {"items": (None, changed), "reason": (None, reason or state)})
        publish_items([terminal for _, terminal in pks])
    return changed


@transaction.atomic
def confirm(rollout: Rollout, *, by: User, at: datetime) -> int:
    """Count terminals that reported a failure, and run the new version, as updated. Returns how many. Idempotent."""
    chosen = _items(rollout, by).filter(state=ITEM.NEW_VERSION)
    pks = dict(chosen.select_for_update(of=("self",)).values_list("pk", "terminal"))
    changed = RolloutItem.objects.filter(pk__in=pks).update(state=ITEM.DONE, state_at=at, ended_at=at, reason="")
    if changed:
        recorder.record("confirmed", rollout, {"items": (None, changed)})
        publish_items(list(pks.values()))
    return changed


@transaction.atomic
def end(
    rollout: Rollout, state: RolloutState, *, by: User | None = None, at: datetime, reason: str = "", comment: str = ""
) -> bool:
    """End a rollout before its time. False if it was over."""
    rollout = locked(rollout)
    changed = Rollout.objects.filter(pk=rollout.pk, state__in=(*OPEN_ROLLOUTS, S.STOPPED))
    if not changed.update(state=state, state_at=at, reason=reason, ended_at=at):
        return False
    _withdraw_queued(rollout, at)
    waiting = RolloutItem.objects.filter(rollout=rollout, state__in=(ITEM.WAITING, ITEM.POSTPONED))
    left = ITEM.EXPIRED if state == S.EXPIRED else ITEM.CANCELLED
    waiting.update(state=left, state_at=at, ended_at=at)
    recorder.record(state.value, rollout, {"reason": (None, reason)} if reason else {}, comment=comment)
    kind = E.CANCELLED if state == S.CANCELLED else E.ENDED
    record_event(kind, rollout, by=by, at=at, reason=reason or state.value, comment=comment)
    return True


def _withdraw_queued(rollout: Rollout, at: datetime) -> None:
    """Orders that were not sent yet, or only read by terminals that poll, expire; their items wait again."""
    ordered = RolloutItem.objects.filter(rollout=rollout, state=ITEM.ORDERED).exclude(command=None)
    pks, reason = list(ordered.values_list("command__pk", flat=True)), "the rollout does not go on"
    commands.withdraw(pks, reason=reason)
    actions.withdraw_shown(pks, reason=reason, at=at)


def _items(rollout: Rollout, by: User) -> QuerySet[RolloutItem]:
    """Its items of terminals for which the person may run rollouts."""
    return permitted(RolloutItem.objects.filter(rollout=rollout), by=by, permission=Permission.RUN_ROLLOUTS)


def _reopen(rollout: Rollout, *, pks: Collection[int]) -> None:
    """Waves whose items are tried again install again."""
    waves = RolloutItem.objects.filter(pk__in=pks).values("wave")
    rollout.waves.filter(pk__in=waves, state=WaveState.WATCHED).update(state=WaveState.INSTALLING, installed_at=None)


def _demand_open(rollout: Rollout) -> None:
    if not Rollout.objects.filter(pk=rollout.pk, state__in=(*OPEN_ROLLOUTS, S.STOPPED)).exists():
        raise RolloutOver(f"rollout {rollout.pk} has ended")


def _move(
    rollout: Rollout,
    before: Collection[RolloutState],
    after: RolloutState,
    kind: RolloutEventKind,
    *,
    by: User | None,
    at: datetime,
    reason: str = "",
) -> None:
    changed = Rollout.objects.filter(pk=rollout.pk, state__in=before)
    if changed.update(state=after, state_at=at, reason=reason):
        recorder.record(kind.value, rollout, {"reason": (None, reason)} if reason else {})
        record_event(kind, rollout, by=by, at=at, reason=reason)
    elif not Rollout.objects.filter(pk=rollout.pk, state__in=OPEN_ROLLOUTS).exists():
        raise RolloutOver(f"rollout {rollout.pk} is stopped or has ended")
    rollout.refresh_from_db()


def locked(rollout: Rollout) -> Rollout:
    """The row, locked: the runner must not be about to order."""
    return Rollout.objects.select_for_update(no_key=True, of=("self",)).get(pk=rollout.pk)
