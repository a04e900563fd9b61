"""Shift digests to destinations: on demand, and at the end of each shift."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import translation

from tms.accounts.access import Person, scope_of
from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.accounts.scope import EVERYTHING
from tms.lib.db.errors import is_database_away
from tms.lib.db.jobs import skip_when_empty
from tms.lib.hashing import hash_token
from tms.metrics import instruments
from tms.notifications.messages.phrases import address
from tms.notifications.models.delivery import GIVE_UP_AFTER, Delivery, NotificationKind
from tms.notifications.models.destination import Destination
from tms.notifications.models.digest_plan import DigestPlan
from tms.shifts.digest import markdown
from tms.shifts.digest.digest import ShiftDigest, digest

log = structlog.get_logger(__name__)

MAX_PERIOD = timedelta(days=7)
"""The longest period of a digest, also after a longer pause of its plan."""


@transaction.atomic
def send(
    destination: Destination, since: datetime, until: datetime, *, zone: ZoneInfo, to: Person | None, at: datetime
) -> Delivery:
    """Send the digest of a period as it is now, once per period and scope. `to`: the person who requested it; None: a
    plan. It has what both the person and the owner of the destination may read.
    """
    with translation.override(destination.language):
        content = _content(digest(since, until, to=to, destination=destination.owner), zone, at=at)
    sent, is_new = Delivery.objects.get_or_create(
        key=f"digest-{destination.pk}-{since:%Y%m%dT%H%M%S}-{until:%Y%m%dT%H%M%S}{_mark(to)}",
        defaults={
            "destination": destination,
            "kind": NotificationKind.DIGEST,
            "language": destination.language,
            "created_at": at,
            "due_at": at,
            "give_up_at": at + GIVE_UP_AFTER,
            "content": content,
        },
    )
    if is_new and to is not None:
        recorder.record(
            "digest-sent", destination, {"since": (None, since.isoformat()), "until": (None, until.isoformat())}
        )
    return sent


def _mark(person: Person | None) -> str:
    """What distinguishes the digests of one period: empty if it has everything."""
    scope = EVERYTHING if person is None else scope_of(person)
    return "" if scope.is_everything else f"-{hash_token(scope.key)[:16]}"


@skip_when_empty(DigestPlan.objects.due)
def send_due(at: datetime) -> int:
    """Send the digests of shifts that have ended; returns how many. One digest covers all that ended while TMS was
    unavailable.
    """
    return sum(_try_to_send(plan, at) for plan in DigestPlan.objects.due(at).select_related("destination"))


@transaction.atomic
def plan(destination: Destination, *, times: str, time_zone: str, by: User, at: datetime) -> DigestPlan:
    """Start at the end of the current shift. A destination has one plan: this replaces it."""
    made = DigestPlan(destination=destination, times=times, time_zone=time_zone, by=by)
    fields = {
        "times": times,
        "time_zone": time_zone,
        "by": by,
        "covered_until": made.ended_by(at),
        "next_at": made.ends_after(at),
    }
    known = DigestPlan.objects.filter(destination=destination).values("times", "time_zone")
    before: dict[str, Any] = dict(known.first() or {})
    saved, is_new = DigestPlan.objects.update_or_create(destination=destination, defaults=fields)
    changes = {name: (before.get(name), fields[name]) for name in ("times", "time_zone")}
    recorder.record("created" if is_new else "changed", saved, changes)
    return saved


@transaction.atomic
def drop_plan(pk: int) -> None:
    """Drop the plan. Idempotent."""
    for plan in DigestPlan.objects.filter(pk=pk).select_for_update():
        recorder.record("deleted", plan)
        plan.delete()


def _try_to_send(plan: DigestPlan, at: datetime) -> bool:
    """A plan that fails delays no other; it is retried in the next pass."""
    try:
        return _send_planned(plan, at)
    except Exception as error:
        if is_database_away(error):
            raise
        instruments.CLOCK_FAILURES.labels("digests").inc()
        log.exception("digest_failed", plan=plan.pk)
        return False


@transaction.atomic
def _send_planned(plan: DigestPlan, at: datetime) -> bool:
    """Send the digest of a plan. Returns False if another clock was first, or the plan was changed meanwhile."""
    until = plan.ended_by(at)
    mine = DigestPlan.objects.filter(pk=plan.pk, next_at=plan.next_at)
    if not mine.update(covered_until=until, next_at=plan.ends_after(at)):
        return False
    since = max(plan.covered_until, until - MAX_PERIOD)
    send(plan.destination, since, until, zone=ZoneInfo(plan.time_zone), to=None, at=at)
    return True


def _content(shift: ShiftDigest, zone: ZoneInfo, *, at: datetime) -> dict[str, Any]:
    _, *lines = markdown.lines(shift, zone)
    if settings.PUBLIC_URL:
        lines += ["", address("/digest/")]
    return {
        "kind": NotificationKind.DIGEST.value,
        "at": at.isoformat(),
        "title": markdown.title(shift, zone),
        "lines": lines[1:],
        "facts": {"digest": _facts(shift)},
        "subject": "",
        "severity": "",
    }


def _facts(shift: ShiftDigest) -> dict[str, Any]:
    totals = shift.totals
    return {
        "since": shift.since.isoformat(),
        "until": shift.until.isoformat(),
        "opened": totals.opened.total,
        "closed": totals.closed.total,
        "still_open": totals.open,
        "unacknowledged": totals.unacknowledged,
    }
