"""Makes rollouts: drafts, plans, and whom they are for."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from tms.accounts.access import demand, permitted
from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.approvals import clearance
from tms.approvals.acts import Act
from tms.fleet.models import Terminal
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.jobs.services import read_query
from tms.lib.db.rows import keys_of
from tms.query.query import Query
from tms.rollouts.control import RolloutOver, demand_control
from tms.rollouts.models import (
    OPEN_ROLLOUTS,
    ApprovalRule,
    Rollout,
    RolloutArtifact,
    RolloutKind,
    RolloutState,
    Wave,
)
from tms.rollouts.values import MAX_CHOSEN, SMALL, RolloutRefused, RolloutValues, check

MAX_OPEN_ROLLOUTS = 50
SENT_TWICE_WITHIN = timedelta(seconds=10)
COPIED = (
    "name",
    "comment",
    "version",
    "query",
    "late",
    "hours",
    "at_once",
    "per_site",
    "mobile_mb",
    "install_within_s",
    "settle_s",
)
ASKED = (*COPIED, "terminals", "starts_at", "approval", "measures", "failed_pct", "failed_after", "rolls_back")
"""What makes two rollouts the same, beside their artifacts and waves."""


@transaction.atomic
def save_draft(values: RolloutValues, *, by: User, at: datetime, rollout: Rollout | None = None) -> Rollout:
    """A new draft, or other values for one. Raises RolloutRefused, RolloutOver, QueryError and Forbidden."""
    _lock_person(by)
    made, _members = draft(values, by=by, at=at)
    if rollout is not None:
        demand_control(by, rollout)
        if not Rollout.objects.select_for_update().filter(pk=rollout.pk, state=RolloutState.DRAFT).exists():
            raise RolloutOver(f"rollout {rollout.pk} is no draft any more")
        made.pk, made.created_at, made.seed = rollout.pk, rollout.created_at, rollout.seed
        rollout.steps.all().delete()
        rollout.waves.all().delete()
    _store(made, values, at)
    recorder.record("changed" if rollout else "drafted", made, _audited(made), comment=made.comment)
    return made


@transaction.atomic
def create(values: RolloutValues, *, by: User, at: datetime, rolls_back: Rollout | None = None) -> Rollout:
    """A planned rollout, which the clock starts.

    Returns the one that the person made a moment ago if it is the same: it was sent twice. Raises RolloutRefused,
    QueryError, Forbidden and NotAgreed.
    """
    # The lock: of two that are sent at once, the second finds the rollout of the first.
    _lock_person(by)
    made, members = draft(values, by=by, at=at, rolls_back=rolls_back)
    if same := just_made(made, values, at):
        return same
    made.state = RolloutState.PLANNED
    made.first_number = _agreed_number(members, Act.ROLL_BACK if rolls_back else Act.ROLLOUT)
    _store(made, values, at)
    recorder.record("created", made, _audited(made), comment=made.comment)
    return made


@transaction.atomic
def plan(rollout: Rollout, *, by: User, at: datetime) -> None:
    """Plan a draft as it is. Idempotent. Raises RolloutRefused, RolloutOver, QueryError, Forbidden and NotAgreed."""
    demand(by, Permission.RUN_ROLLOUTS)
    demand_control(by, rollout)
    if rollout.until <= at:
        raise RolloutRefused("$.until", "the rollout would be over already; choose a later end")
    number = _agreed_number(members_of(rollout, by=by, at=at), Act.ROLLOUT)
    changes = {"state": RolloutState.PLANNED, "state_at": at, "first_number": number, "started_by": by}
    if Rollout.objects.filter(pk=rollout.pk, state=RolloutState.DRAFT).update(**changes):
        recorder.record("planned", rollout, {"terminals": (None, number)})
    elif not Rollout.objects.filter(pk=rollout.pk, state__in=OPEN_ROLLOUTS).exists():
        raise RolloutOver(f"rollout {rollout.pk} has ended")
    rollout.refresh_from_db()


@transaction.atomic
def discard(rollout: Rollout, *, by: User) -> None:
    """Delete a draft. Raises RolloutOver and Forbidden."""
    demand_control(by, rollout)
    found = Rollout.objects.select_for_update().filter(pk=rollout.pk, state=RolloutState.DRAFT).first()
    if found is None:
        raise RolloutOver(f"rollout {rollout.pk} is no draft any more")
    recorder.record("deleted", found)
    found.delete()


def draft(
    values: RolloutValues, *, by: User, at: datetime, rolls_back: Rollout | None = None
) -> tuple[Rollout, QuerySet[Terminal]]:
    """The rollout, checked and not stored, and the terminals that it would have now. Raises the same as `create`."""
    demand(by, Permission.RUN_ROLLOUTS)
    check(values, at=at, is_roll_back=rolls_back is not None)
    _check_target(values, by=by, limit=None if rolls_back else MAX_CHOSEN)
    if Rollout.objects.open().count() >= MAX_OPEN_ROLLOUTS:
        raise RolloutRefused("$", f"{MAX_OPEN_ROLLOUTS} rollouts are running or planned; end one first")
    made = _rollout(values, by=by, at=at, rolls_back=rolls_back)
    members = members_of(made, by=by, at=at)
    made.approval = values.approval or (ApprovalRule.EACH if members.count() < SMALL else ApprovalRule.NONE)
    return made, members


def members_of(rollout: Rollout, *, by: User, at: datetime) -> QuerySet[Terminal]:
    """The terminals that a rollout which starts now would have. Raises QueryError."""
    if rollout.query:
        rows = Terminal.objects.filter(Query.of(rollout.query, TERMINAL_FIELDS).where(at))
    else:
        rows = Terminal.objects.filter(pk__in=keys_of(rollout.terminals))
    return permitted(rows, by=by, permission=Permission.RUN_ROLLOUTS)


def _agreed_number(members: QuerySet[Terminal], act: Act) -> int:
    """The number of terminals that it is for, as far as that was agreed. Raises NotAgreed."""
    number, agreed = members.count(), clearance.agreed_terminals(act)
    if clearance.has_outgrown(number, agreed or 0):
        raise clearance.NotAgreed
    return number if agreed is None else agreed


def just_made(made: Rollout, values: RolloutValues, at: datetime) -> Rollout | None:
    """The same rollout, if its starter made it a moment ago and it has not ended."""
    recent = Rollout.objects.open().filter(started_by=made.started_by, created_at__gt=at - SENT_TWICE_WITHIN)
    wanted = [one.pk for one in values.artifacts], [wave_key(wave) for wave in _waves(made, values)]
    for one in recent.prefetch_related("steps", "waves"):
        has = [step.artifact_id for step in one.steps.all()], [wave_key(wave) for wave in one.waves.all()]
        if _asked(one) == _asked(made) and has == wanted:
            return one
    return None


def wave_key(wave: Wave) -> tuple[Any, ...]:
    return wave.kind, wave.size, wave.watch_hours, wave.name, wave.not_before


def _asked(rollout: Rollout) -> list[Any]:
    fields = {field.name: field for field in Rollout._meta.concrete_fields if field.name in ASKED}
    # A start "now" differs by the moment that lies between the two.
    now = rollout.starts_at == rollout.created_at
    return [
        None if now and name == "starts_at" else field.get_prep_value(getattr(rollout, field.attname))
        for name, field in fields.items()
    ]


def _check_target(values: RolloutValues, *, by: User, limit: int | None) -> None:
    """Raises RolloutRefused and QueryError."""
    if bool(values.query) == bool(values.terminals):
        raise RolloutRefused("$.query", "give either a query or terminals")
    if values.query:
        read_query(values.query)
        return
    if limit is not None and len(values.terminals) > limit:
        raise RolloutRefused("$.terminals", f"at most {limit:,} terminals; use a query for more")
    chosen = {terminal.pk: terminal.uid for terminal in values.terminals}
    rows = permitted(Terminal.objects.filter(pk__in=keys_of(chosen)), by=by, permission=Permission.RUN_ROLLOUTS)
    may = set(rows.values_list("pk", flat=True))
    if refused := sorted(uid for pk, uid in chosen.items() if pk not in may):
        raise RolloutRefused("$.terminals", f"you may not run rollouts on: {', '.join(refused[:5])}")


def _rollout(values: RolloutValues, *, by: User, at: datetime, rolls_back: Rollout | None) -> Rollout:
    return Rollout(
        **{name: getattr(values, name) for name in COPIED},
        until=values.until,
        kind=RolloutKind.CONFIGURATION if values.version else RolloutKind.ARTIFACT,
        terminals=sorted(terminal.pk for terminal in values.terminals),
        starts_at=values.starts_at or at,
        postpone_limit=values.postponing.limit,
        postpone_s=values.postponing.after_s,
        postponed_then=values.postponing.then,
        measures=list(values.measures),
        failed_pct=values.failures.above_pct,
        failed_after=values.failures.after,
        rolls_back=rolls_back,
        seed=int(at.timestamp() * 1_000),
        state_at=at,
        started_by=by,
        created_at=at,
    )


def _store(made: Rollout, values: RolloutValues, at: datetime) -> None:
    made.save()
    RolloutArtifact.objects.bulk_create(
        RolloutArtifact(rollout=made, artifact=one, position=position) for position, one in enumerate(values.artifacts)
    )
    Wave.objects.bulk_create(_waves(made, values))


def _waves(made: Rollout, values: RolloutValues) -> list[Wave]:
    return [
        Wave(
            rollout=made,
            number=number,
            kind=wave.kind,
            size=wave.size,
            watch_hours=wave.watch_hours,
            name=wave.name,
            not_before=wave.not_before,
        )
        for number, wave in enumerate(values.waves, start=1)
    ]


def _audited(made: Rollout) -> dict[str, tuple[None, Any]]:
    artifacts = [str(step.artifact) for step in made.steps.select_related("artifact")]
    target = {"query": made.query} if made.query else {"terminals": len(made.terminals)}
    change = {"artifacts": ", ".join(artifacts)} if artifacts else {"version": str(made.version)}
    return {name: (None, value) for name, value in {**change, **target}.items()}


def _lock_person(by: User) -> None:
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
