"""What shift digests and availability reports share: each is sent once for its period, on demand or by a plan."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction

from tms.accounts.access import Person, scope_of
from tms.accounts.audit import recorder
from tms.lib.db.errors import is_database_away
from tms.lib.hashing import hash_token
from tms.metrics import instruments
from tms.notifications.models.delivery import GIVE_UP_AFTER, Delivery, NotificationKind
from tms.notifications.models.destination import Destination
from tms.notifications.models.digest_plan import DigestPlan
from tms.notifications.models.report_plan import ReportPlan

log = structlog.get_logger(__name__)


def deliver(
    destination: Destination,
    kind: NotificationKind,
    content: Mapping[str, Any],
    *,
    key: str,
    to: Person | None,
    at: datetime,
) -> tuple[Delivery, bool]:
    """The delivery of what `key` names, and whether it is new: one for each scope of the people who request it."""
    return Delivery.objects.get_or_create(
        key=f"{key}{_mark(to)}",
        defaults={
            "destination": destination,
            "kind": kind,
            "language": destination.language,
            "created_at": at,
            "due_at": at,
            "give_up_at": at + GIVE_UP_AFTER,
            "content": content,
        },
    )


def _mark(person: Person | None) -> str:
    """What distinguishes the deliveries of one period: empty if it has everything."""
    if person is None or scope_of(person).is_everything:
        return ""
    return f"-{hash_token(scope_of(person).key)[:16]}"


def send_each[Plan: DigestPlan | ReportPlan](plans: Iterable[Plan], send: Callable[[Plan], bool], *, loop: str) -> int:
    """How many were sent. A plan that fails delays no other; the next pass of the clock's `loop` tries it again."""
    return sum(_try_to_send(plan, send, loop) for plan in plans)


def _try_to_send[Plan: DigestPlan | ReportPlan](plan: Plan, send: Callable[[Plan], bool], loop: str) -> bool:
    try:
        with transaction.atomic():
            return send(plan)
    except Exception as error:
        if is_database_away(error):
            raise
        instruments.CLOCK_FAILURES.labels(loop).inc()
        log.exception("plan_failed", plan=plan.pk, loop=loop)
        return False


@transaction.atomic
def drop_plan(plan: DigestPlan | ReportPlan) -> None:
    """Idempotent."""
    for stored in type(plan)._default_manager.filter(pk=plan.pk).select_for_update():
        recorder.record("deleted", stored)
        stored.delete()
