"""The check of a delivery before its first attempt: is it still needed, may its reader know it, and what does it say.

A lease is acquired only on a prepared delivery. One that is no longer needed is withdrawn.
"""

from datetime import datetime

import structlog
from django.db import transaction

from tms.alerts.models import AlertState
from tms.lib.db.errors import is_database_away
from tms.metrics import instruments
from tms.notifications.messages import compose
from tms.notifications.models.delivery import ALARMS, PERSONAL, REPORTS, Delivery, DeliveryItem, DeliveryState
from tms.notifications.models.policy import Escalation
from tms.notifications.push.browsers import visible_items
from tms.notifications.subjects import ALERT, INCIDENT, column, suppressed_subjects, unacknowledged_subjects
from tms.notifications.transports.result import one_line

log = structlog.get_logger(__name__)


def is_prepared(delivery: Delivery, at: datetime) -> bool:
    """Prepare a delivery. Returns False if it is no longer needed, or cannot be composed: it must not delay the
    others.
    """
    try:
        with transaction.atomic():
            return _prepare(delivery, at)
    except Exception as error:
        if is_database_away(error):
            raise
        log.exception("delivery_unreadable", delivery=delivery.pk)
        detail = one_line(f"TMS cannot compose this message: {type(error).__name__}")
        Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.DEAD, ended_at=at, detail=detail)
        instruments.DELIVERIES.labels(delivery.destination.kind, DeliveryState.DEAD.value).inc()
        return False


def _prepare(delivery: Delivery, at: datetime) -> bool:
    """Check and compose it before the first attempt; False if no item is left."""
    if delivery.kind in REPORTS:
        return True  # its content was made when it was decided
    items = list(delivery.items.select_related(*ALERT.related, *INCIDENT.related).order_by("pk"))
    if delivery.kind in ALARMS:
        items = _drop_unneeded(delivery, items, at)
    if delivery.destination.is_browser:
        items = visible_items(delivery.destination, items)
    if delivery.kind in PERSONAL:
        items = [item for item in items if item.subject.state != AlertState.RESOLVED]
    if not items:
        delivery.state, delivery.ended_at = DeliveryState.WITHDRAWN, at
        delivery.save(update_fields=("state", "ended_at"))
        instruments.DELIVERIES.labels(delivery.destination.kind, DeliveryState.WITHDRAWN.value).inc()
        return False
    delivery.content = compose(delivery, [item.subject for item in items], at=at)
    return True


def _drop_unneeded(delivery: Delivery, items: list[DeliveryItem], at: datetime) -> list[DeliveryItem]:
    """Drop the items that are resolved, acknowledged or suppressed by now, and return the others. Escalations of
    suppressed ones may resume.
    """
    unacknowledged = unacknowledged_subjects([item.subject for item in items])
    suppressed = suppressed_subjects(unacknowledged, at=at)
    needed: list[DeliveryItem] = []
    for item in items:
        why = suppressed.get(item.subject)
        if item.subject in unacknowledged and why is None:
            needed.append(item)
            continue
        # The step was taken when the delivery was decided. It has notified nobody, so that it is taken back.
        item.delete()
        Escalation.objects.filter(**column(item.subject), policy=delivery.policy_id).update(
            next_step=delivery.step,
            due_at=why.check_again_at(at) if why else None,
            suppression=why.reason if why else "",
        )
    return needed
