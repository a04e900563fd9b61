"""A second person's approval of a wave: asked for before it starts, and given for the terminals that it has."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from tms.accounts.access import Forbidden, may
from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.approvals.approvers import holds_for_all, is_second
from tms.fleet.models import Terminal
from tms.query.errors import QueryError
from tms.rollouts.control import RolloutOver, locked
from tms.rollouts.events import record_event
from tms.rollouts.models import (
    OPEN_ROLLOUTS,
    ApprovalRule,
    Rollout,
    RolloutEventKind,
    RolloutItem,
    Wave,
    WaveState,
)
from tms.rollouts.planning import members_of

E = RolloutEventKind


class MayNotApprove(Exception):
    """The person asked for it or started the rollout, or is no person: a second one must approve."""


@transaction.atomic
def ask_approval(wave: Wave, *, by: User | None, at: datetime) -> bool:
    """Ask for a second person's approval of a wave. False if it was asked already, or the wave has started."""
    waiting = Wave.objects.filter(pk=wave.pk, state=WaveState.WAITING, asked_at=None, approved_at=None)
    if not waiting.update(asked_at=at, asked_by=by):
        return False
    wave.refresh_from_db()
    if by is not None:
        recorder.record("asked", wave.rollout, {"wave": (None, wave.number)})
    record_event(E.APPROVAL_ASKED, wave.rollout, wave=wave, by=by, at=at)
    return True


@transaction.atomic
def approve_wave(wave: Wave, *, by: User, at: datetime, comment: str = "") -> None:
    """Let a wave start once the one before it has passed. Idempotent.

    Raises MayNotApprove, Forbidden and RolloutOver.
    """
    rollout = locked(wave.rollout)
    _demand_approver(wave, rollout, by, at)
    changed = Wave.objects.filter(pk=wave.pk, state=WaveState.WAITING, approved_at=None)
    if changed.update(approved_at=at, approved_by=by):
        recorder.record("approved", rollout, {"wave": (None, wave.number)}, comment=comment)
        record_event(E.APPROVED, rollout, wave=wave, by=by, at=at, comment=comment)
    wave.refresh_from_db()


def may_approve(person: User, wave: Wave) -> bool:
    try:
        _demand_approver(wave, wave.rollout, person, timezone.now())
    except (MayNotApprove, Forbidden, RolloutOver):
        return False
    return True


@transaction.atomic
def ask_again(wave: Wave) -> None:
    """What was approved has grown: an approval counts for the terminals that the wave had."""
    Wave.objects.filter(pk=wave.pk, state=WaveState.WAITING).update(
        asked_at=None, asked_by=None, approved_at=None, approved_by=None
    )


def _demand_approver(wave: Wave, rollout: Rollout, person: User, at: datetime) -> None:
    """Raises MayNotApprove, Forbidden and RolloutOver."""
    terminals = _terminals_of(wave, rollout, at)
    if not is_second(person, rollout.started_by, wave.asked_by):
        raise MayNotApprove("somebody else must approve the wave: you started the rollout or asked for it")
    pks = list(terminals.values_list("pk", flat=True))
    if not holds_for_all(person, Permission.RUN_ROLLOUTS, terminals, pks):
        raise Forbidden(Permission.RUN_ROLLOUTS, is_elsewhere=may(person, Permission.RUN_ROLLOUTS))


def _terminals_of(wave: Wave, rollout: Rollout, at: datetime) -> QuerySet[Terminal]:
    """The terminals of a wave. It has none before the start: the first one may get any that the rollout would have now.

    Raises RolloutOver.
    """
    if rollout.state not in OPEN_ROLLOUTS:
        raise RolloutOver(f"rollout {rollout.pk} is {rollout.state}")
    if rollout.started_at is not None:
        return Terminal.objects.filter(pk__in=RolloutItem.objects.filter(wave=wave).values("terminal"))
    starter, is_asked = rollout.started_by, rollout.approval == ApprovalRule.FIRST and wave.number == 1
    if starter is None or not is_asked:
        raise RolloutOver(f"rollout {rollout.pk} has not started; its waves have no terminals yet")
    try:
        return members_of(rollout, by=starter, at=at)
    except QueryError as error:
        raise RolloutOver(f"rollout {rollout.pk} cannot start: {error}") from None
