"""Follow-ups as replies to the message that announced the problem, for services that know replies."""

from dataclasses import replace

from django.db.models import Q

from tms.notifications.models.delivery import ALARMS, Delivery, DeliveryItem, DeliveryState, NotificationKind
from tms.notifications.transports.message import Message

THREADED_KINDS = frozenset({NotificationKind.ACKNOWLEDGED, NotificationKind.RESOLVED, NotificationKind.STABLE})


def in_thread(message: Message, delivery: Delivery) -> Message:
    """The message as a reply, if one message announced all that it is about; three queries at most."""
    if delivery.kind not in THREADED_KINDS:
        return message
    subjects = set(delivery.items.values_list("alert", "incident"))
    about_them = Q(alert__in=[alert for alert, _ in subjects if alert]) | Q(
        incident__in=[incident for _, incident in subjects if incident]
    )
    items = DeliveryItem.objects.filter(
        about_them,
        delivery__destination=delivery.destination_id,
        delivery__kind__in=ALARMS,
        delivery__state=DeliveryState.SENT,
    ).exclude(delivery__reference="")
    rows = items.order_by("-delivery").values_list("alert", "incident", "delivery", "delivery__reference")
    # Of each subject the earliest message: later ones are escalations.
    announced = {(alert, incident): (pk, reference) for alert, incident, pk, reference in rows}
    messages = set(announced.values())
    if len(messages) != 1 or len(announced) < len(subjects):
        return message
    [(pk, reference)] = messages
    is_rest = DeliveryItem.objects.filter(delivery=pk).exclude(about_them).exists()
    return replace(message, reply_to=reference, replaces=not is_rest)
