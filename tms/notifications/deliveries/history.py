"""The notifications of an alert for its history."""

from collections.abc import Iterator

from tms.alerts.notification_history import NotificationRecord
from tms.notifications.models.delivery import Delivery, DeliveryState, NotificationKind


def notifications_of(alert_id: int) -> Iterator[NotificationRecord]:
    for delivery in Delivery.objects.filter(items__alert=alert_id).select_related("destination"):
        state = DeliveryState(delivery.state)
        yield NotificationRecord(
            number=delivery.pk,
            at=delivery.ended_at or delivery.created_at,
            to=delivery.destination.name,
            kind=NotificationKind(delivery.kind),
            state=state,
            is_lost=state is DeliveryState.DEAD,
            attempts=delivery.attempts,
            detail=delivery.detail if state is not DeliveryState.SENT else "",
            possible_duplicate=delivery.possible_duplicate,
            url=delivery.get_absolute_url(),
        )
