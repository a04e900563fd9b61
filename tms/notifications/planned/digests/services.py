"""Shift digests to destinations: on demand, and at the end of each shift."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import translation

from tms.accounts.access import Person
from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.lib.db.jobs import skip_when_empty
from tms.notifications.messages.phrases import address
from tms.notifications.models.delivery import Delivery, NotificationKind
from tms.notifications.models.destination import Destination
from tms.notifications.models.digest_plan import DigestPlan
from tms.notifications.planned.services import deliver, send_each
from tms.shifts.digest import markdown
from tms.shifts.digest.digest import ShiftDigest, digest

LONGEST = timedelta(days=7)
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
    key = f"digest-{destination.pk}-{since:%Y%m%dT%H%M%S}-{until:%Y%m%dT%H%M%S}"
    sent, is_new = deliver(destination, NotificationKind.DIGEST, content, key=key, to=to, at=at)
    if is_new and to is not None:
        recorder.record(
            "digest-sent", destination, {"since": (None, since.isoformat()), "until": (None, until.isoformat())}
        )
    return sent


@skip_when_empty(DigestPlan.objects.due)
def send_due(at: datetime) -> int:
    """Send the digests of shifts that have ended; returns how many. One digest covers all that ended while TMS was
    unavailable.
    """
    due = DigestPlan.objects.due(at).select_related("destination")
    return send_each(due, lambda plan: send_planned(plan, at), loop="digests")


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


def send_planned(plan: DigestPlan, at: datetime) -> bool:
    """In a transaction. False if another clock was first, or the plan was changed meanwhile."""
    until = plan.ended_by(at)
    mine = DigestPlan.objects.filter(pk=plan.pk, next_at=plan.next_at)
    if not mine.update(covered_until=until, next_at=plan.ends_after(at)):
        return False
    since = max(plan.covered_until, until - LONGEST)
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
