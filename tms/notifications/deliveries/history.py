"""The notifications of an alert or incident for its history."""

from collections.abc import Iterator

from django.db.models import QuerySet

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.notification_history import NotificationRecord
from tms.notifications.models.delivery import Delivery, DeliveryState, NotificationKind
from tms.notifications.models.destination import Destination


def notifications_of(alert_id: int, scope: Scope) -> Iterator[NotificationRecord]:
    return _records(Delivery.objects.filter(items__alert=alert_id), scope)


def notifications_of_incident(incident_id: int, scope: Scope) -> Iterator[NotificationRecord]:
    return _records(Delivery.objects.filter(items__incident=incident_id), scope)


def _records(deliveries: QuerySet[Delivery], scope: Scope) -> Iterator[NotificationRecord]:
    deliveries = deliveries.select_related("destination")
    if not scope.is_everything:
        deliveries = deliveries.filter(destination__in=within(Destination.objects.all(), scope))
    for delivery in deliveries:
        state = DeliveryState(delivery.state)
        yield NotificationRecord(
            number=delivery.pk,
            at=delivery.ended_at or delivery.created_at,
            to=delivery.destination.name,
            kind=NotificationKind(delivery.kind),
            state=state,
            is_delivered=state is DeliveryState.SENT,
            is_lost=state is DeliveryState.DEAD,
            attempts=delivery.attempts,
            detail=delivery.detail if state is not DeliveryState.SENT else "",
            possible_duplicate=delivery.possible_duplicate,
            url=delivery.get_absolute_url(),
        )
